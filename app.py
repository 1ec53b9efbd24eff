"""`flask run`, gunicorn and the workers start here."""

from webapp import create_app
from webapp.config import Config

app = create_app(Config.from_environment())
