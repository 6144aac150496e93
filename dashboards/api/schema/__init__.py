"""The schema of the HTTP API, from which OpenAPI is generated: parameters, bodies of requests, bodies of responses.

Requests are validated. Responses are written from plain values without validation; tests check them against this
schema.
"""
