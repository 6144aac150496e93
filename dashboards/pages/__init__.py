"""The web pages: HTML templates with their texts in every language, style sheets and scripts."""
