"""The web side of Liftwatch: the HTTP API, the live event stream, the pages, and Grafana's dashboards."""
