"""Runs migrations on the connection that `service.register.opening.migrate` hands over."""

from alembic import context

from service.register.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the caller's transaction holds it all
)
context.run_migrations()
