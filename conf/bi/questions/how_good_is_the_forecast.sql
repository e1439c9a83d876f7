-- How good is the demand forecast, beside simple ones?
SELECT
    ours.scheme,
    ours.level,
    ours.model,
    ours.wape,
    simple.model AS simple_model,
    simple.wape AS simple_wape,
    1 - ours.wape / NULLIF(simple.wape, 0) AS smaller_error,
    ours.forecasts
FROM forecast_accuracy AS ours
JOIN forecast_accuracy AS simple
    ON simple.scheme = ours.scheme AND simple.level = ours.level AND simple.model IN ('last_value', 'seasonal_naive')
WHERE ours.is_used
ORDER BY ours.scheme, ours.level, simple.model
