"""What Alembic runs: the steps of one file, on the connection that its writer gives."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["metadata"],
    # The writer's own transaction holds the steps: all of them, or none.
    transactional_ddl=False,
    render_as_batch=True,
)
context.run_migrations()
