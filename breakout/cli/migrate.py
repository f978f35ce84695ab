"""`breakout migrate`: brings the database's schema up to date."""

import click

from breakout.cli.start import start
from breakout.clickhouse.migrations import migrate as run_migrations
from breakout.clickhouse.migrations import pending

WAIT_SECONDS = 60.0


@click.command()
@click.option("--dry-run", is_flag=True, help="Print the statements without running them.")
def migrate(*, dry_run: bool) -> None:
    """Bring the database's schema up to date.

    Creates the database if needed, applies pending migrations, creates or replaces all views,
    and creates the read-only user if BREAKOUT_READER_PASSWORD is set. Waits up to a minute for
    ClickHouse. It is safe to run it repeatedly or concurrently.
    """
    settings = start()
    address = settings.clickhouse
    if dry_run:
        to_do = pending(settings, give_up_after=WAIT_SECONDS)
        for migration in to_do.migrations:
            click.echo(f"-- {migration.file} (sha256 {migration.checksum})")
            for statement in migration.statements:
                click.echo(f"{statement};\n")
        for view in to_do.views.create:
            click.echo(f"-- {view.file}\n{view.statement};\n")
        for name in to_do.views.drop:
            click.echo(f"DROP VIEW {name};\n")
        counts = (
            f"{len(to_do.migrations)} migrations to apply, {len(to_do.views.create)} views to "
            f"create or change and {len(to_do.views.drop)} to drop"
        )
        click.echo(f"-- {counts} in {address}; nothing was changed")
        return
    report = run_migrations(settings, give_up_after=WAIT_SECONDS)
    for file in report.applied:
        click.echo(f"applied {file}")
    if report.views.create:
        click.echo(f"created or changed {len(report.views.create)} views")
    for name in report.views.drop:
        click.echo(f"dropped the view {name}")
    click.echo(f"{address} is up to date")
    if report.reader:
        click.echo(f"read-only user {settings.reader_user!r} is ready")
