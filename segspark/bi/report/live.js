// Draws each chart anew from its specification, with tool-tips and at the page's width. Where that fails, or without
// scripts, the picture that stands in the page stays. vegaEmbed is inlined before; expressions are interpreted, so that
// the page's policy may forbid `eval`.
const told = JSON.parse(document.getElementById("charts").textContent);
for (const [name, spec] of Object.entries(told.charts)) {
  const place = document.getElementById(name + "-live");
  const options = {
    mode: "vega-lite", config: told.config, ast: true, actions: false, defaultStyle: false,
    renderer: name.startsWith("map-") ? "canvas" : "svg",
    tooltip: { disableDefaultStyle: true, theme: "segspark", id: "tip", offsetX: 12, offsetY: 12 },
  };
  place.hidden = false; // its width is measured
  vegaEmbed(place, spec, options).then(
    () => {
      place.firstElementChild.setAttribute("aria-hidden", "true"); // the place has a label and a description
      place.closest("figure").classList.add("is-live");
    },
    () => { place.replaceChildren(); place.hidden = true; },
  );
}
