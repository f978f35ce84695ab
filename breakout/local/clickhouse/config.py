"""The engine's configuration files, written at every start.

The HTTP layer authenticates users (the embedded engine has no login); the engine enforces their
privileges by roles, the read-only user's profile and row policies. The files hold no secret.
"""

from __future__ import annotations

from pathlib import Path

# As of the read-only user that `breakout migrate` creates on a ClickHouse server; importing that
# module would double the start-up time of this process
READONLY_LIMITS = {
    "max_execution_time": 60,  # seconds
    "max_memory_usage": 2 * 2**30,  # bytes
    "max_result_rows": 5_000_000,
    "max_rows_to_read": 2_000_000_000,
}
ADMIN_ROLE = "breakout_admin"
READONLY_ROLE = "breakout_reader"
READONLY_PROFILE = "breakout_reader"
# Of a read-only connection; the constraints of the profile forbid higher values
READONLY_SETTINGS = {
    **{name: str(limit) for name, limit in READONLY_LIMITS.items()},
    "do_not_merge_across_partitions_select_final": "1",
    "readonly": "2",
}
# Visible to the admin only: queries of others, paths of files, configuration of the server.
# The engine lets every user read every system table, so a row policy hides the rows.
ADMIN_TABLES = (
    "asynchronous_inserts",
    "background_schedule_pool",
    "backups",
    "clusters",
    "crash_log",
    "detached_parts",
    "detached_tables",
    "dictionaries",
    "disks",
    "distribution_queue",
    "dns_cache",
    "dropped_tables",
    "dropped_tables_parts",
    "errors",
    "filesystem_cache",
    "handlers",
    "macros",
    "merges",
    "moves",
    "mutations",
    "named_collections",
    "parts",
    "parts_columns",
    "processes",
    "projection_parts",
    "projection_parts_columns",
    "query_cache",
    "query_log",
    "remote_data_paths",
    "schema_inference_cache",
    "server_settings",
    "session_query_ids",
    "stack_trace",
    "storage_policies",
    "text_log",
    "user_directories",
    "user_processes",
    "user_query_log",
    "warnings",
)
# The read-only user may not set these: they name files and addresses that the engine opens, or
# hold SQL that is not part of the checked statement.
ADMIN_SETTINGS = (
    "additional_result_filter",
    "additional_table_filters",
    "ai_function_embedding_default_credentials",
    "ai_function_text_default_credentials",
    "dialect",
    "filter",
    "format_avro_schema_registry_url",
    "format_schema",
    "format_schema_source",
    "format_template_resultset",
    "format_template_row",
    "implicit_table_at_top_level",
    "input_format_record_errors_file_path",
    "order",
    "output_format_schema",
    "parallel_replicas_custom_key",
    "polyglot_dialect",
    "rename_files_after_processing",
    "s3_base",
    "select",
    "sort",
    "url_base",
)
_CONSTRAINTS = "\n".join(
    [
        *(
            f"        <{name}><min>1</min><max>{limit}</max></{name}>"
            for name, limit in READONLY_LIMITS.items()
        ),
        *(f"        <{name}><const/></{name}>" for name in ADMIN_SETTINGS),
    ]
)
_POLICIES = "\n".join(
    f"        <{name}><filter>has(currentRoles(), 'breakout_admin')</filter></{name}>"
    for name in ADMIN_TABLES
)

# Statements are listed in full, because their mark may be at the end. The read-only role creates
# temporary tables only for the external tables of a form. The default profile sets
# max_execution_time so that the constraint of the read-only profile forbids changing back to it.
_USERS = f"""<clickhouse>
  <profiles>
    <default>
      <async_insert>0</async_insert>
      <implicit_select>0</implicit_select>
      <log_queries_cut_to_length>1073741824</log_queries_cut_to_length>
      <max_execution_time>0</max_execution_time>
    </default>
    <{READONLY_PROFILE}>
      <constraints>
{_CONSTRAINTS}
      </constraints>
    </{READONLY_PROFILE}>
  </profiles>
  <roles>
    <breakout_admin>
      <grants><query>GRANT ALL ON *.* WITH GRANT OPTION</query></grants>
    </breakout_admin>
    <{READONLY_ROLE}>
      <grants><query>GRANT SELECT, SHOW, CREATE TEMPORARY TABLE ON *.*</query></grants>
    </{READONLY_ROLE}>
  </roles>
  <users>
    <default>
      <password></password>
      <networks><ip>::/0</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants><query>GRANT breakout_admin, {READONLY_ROLE}</query></grants>
      <databases><system>
{_POLICIES}
      </system></databases>
    </default>
  </users>
  <quotas><default></default></quotas>
</clickhouse>
"""

_ENGINE = """<clickhouse>
  <logger><level>fatal</level></logger>
  <timezone>UTC</timezone>
  <users_config>{users}</users_config>
</clickhouse>
"""


def write_config(directory: Path) -> Path:
    """Write the configuration to ``directory`` and return the engine's configuration file."""
    users = directory / "users.xml"
    users.write_text(_USERS)
    # Not config.xml: importing the engine reads a file of that name from the working directory
    engine = directory / "engine.xml"
    engine.write_text(_ENGINE.format(users=users))
    return engine
