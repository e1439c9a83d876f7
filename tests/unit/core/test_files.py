from segspark.core.files import names_in, remove, write_text


def test_text_reaches_a_file_system_that_only_hadoop_knows(spark, tmp_path):
    spark.sparkContext._jsc.hadoopConfiguration().set("fs.viewfs.mounttable.default.link./r", f"file://{tmp_path}")
    write_text(spark, "viewfs:///r/reports/page.html", "größer €")
    assert (tmp_path / "reports/page.html").read_text(encoding="utf-8") == "größer €"
    assert names_in(spark, "viewfs:///r/reports") == ["page.html"]
    remove(spark, "viewfs:///r/reports")
    assert names_in(spark, "viewfs:///r/reports") == [] and not (tmp_path / "reports").exists()
