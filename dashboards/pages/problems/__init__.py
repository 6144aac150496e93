"""Problems in the language of the page: the sentences of the registry and of the API, and their translations."""
