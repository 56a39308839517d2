"""The one Django app: models, facts read for decisions, screens read for pages, migrations."""
