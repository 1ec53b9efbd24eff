"""Runsheet: a self-hosted runbook platform."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask

if TYPE_CHECKING:
    from webapp.config import Config

__version__ = "0.1.0"


def create_app(config: Config) -> Flask:
    """The application, from the configuration: plumbing first, then the features from low to high."""
    from redis import Redis
    from werkzeug.middleware.proxy_fix import ProxyFix

    from webapp import assets, database, errors, headers, jobs, live, navigation, secrets, sharing, zones
    from webapp.egress import EgressPolicy
    from webapp.extensions import compress, csrf, db, limiter, login_manager
    from webapp.http import Door
    from webapp.row_ids import RowIdConverter

    root = assets.resource_root()
    app = Flask(__name__, template_folder=str(root / "templates"), static_folder=str(root / "static"))
    app.url_map.converters["int"] = RowIdConverter
    app.config.from_mapping(
        SECRET_KEY=config.session_secret,
        SQLALCHEMY_DATABASE_URI=config.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=database.engine_options(config.database_url),
        PUBLIC_URL=config.public_url,
        TRUSTED_HOSTS=[urlsplit(config.public_url).hostname or "", "localhost", "127.0.0.1"],
        SESSION_COOKIE_NAME="runsheet",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.public_url.startswith("https://"),
        MAX_CONTENT_LENGTH=2_000_000,
        WTF_CSRF_TIME_LIMIT=None,
        RATELIMIT_STORAGE_URI=re.sub("^unix://", "redis+unix://", config.redis_url),
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        TESTING=config.testing,
        DEMO=config.demo,
        EGRESS=EgressPolicy.parse(config.egress_allow),
    )
    app.extensions["config"] = config
    app.extensions["vault"] = secrets.Vault(config.secrets_keys)
    app.extensions["door"] = Door(app.config["EGRESS"], user_agent=f"Runsheet/{__version__}")
    if config.trusted_proxies:
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops)  # type: ignore[method-assign]

    compress.init_app(app)  # first, so that it sees an answer last, with all its headers
    db.init_app(app)
    database.configure(app)
    login_manager.init_app(app)
    csrf.init_app(app)
    limiter.init_app(app)
    for plumbing in (assets, headers, errors, navigation, live, sharing, zones):
        plumbing.init_app(app)
    jobs.init_app(app, Redis.from_url(config.redis_url))

    _add_features(app)
    return app


def _add_features(app: Flask) -> None:
    """The features, low to high; each binds itself and lends what it offers to those below."""
    from webapp import (
        accounts,
        audit,
        fields,
        guides,
        health,
        integration_runs,
        integrations,
        notifications,
        runbooks,
        workspaces,
    )

    for feature in (
        health,
        audit,
        accounts,
        workspaces,
        notifications,
        fields,
        integrations,
        integration_runs,
        runbooks,
        guides,
    ):
        feature.init_app(app)
