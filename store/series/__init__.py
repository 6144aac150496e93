"""Time series: InfluxDB 2, or embedded Parquet files."""
