"""The engine's configuration files, written at every start.

Users are checked by the HTTP layer (the embedded engine has no login); what a user may do is
enforced by the engine through the roles, the reader's profile and policies of rows. No secret is
in these files.
"""

from __future__ import annotations

from pathlib import Path

# The limits of the reader that `breakout migrate` makes on a ClickHouse server, written out
# here because importing that module would double the time this process takes to start
READER_LIMITS = {
    "max_execution_time": 60,  # seconds
    "max_memory_usage": 2 * 2**30,  # bytes
    "max_result_rows": 5_000_000,
    "max_rows_to_read": 2_000_000_000,
}
ADMIN_ROLE = "breakout_admin"
READER_ROLE = "breakout_reader"
READER_PROFILE = "breakout_reader"
# Applied to a reader's connection; the profile keeps them from being changed to more
READER_SETTINGS = {
    **{name: str(most) for name, most in READER_LIMITS.items()},
    "do_not_merge_across_partitions_select_final": "1",
    "readonly": "2",
}
# Nobody's business but the admin's: what others ask, where files lie, how the server is set up.
# The engine lets every user read every system table, so rows are hidden by a policy.
ADMINS_TABLES = (
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
# A reader may not set these: they name files and addresses that the engine then opens, or hold
# SQL, which is not in the statement and so is not judged with it.
ADMINS_SETTINGS = (
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
            f"        <{name}><min>1</min><max>{most}</max></{name}>"
            for name, most in READER_LIMITS.items()
        ),
        *(f"        <{name}><const/></{name}>" for name in ADMINS_SETTINGS),
    ]
)
_POLICIES = "\n".join(
    f"        <{name}><filter>has(currentRoles(), 'breakout_admin')</filter></{name}>"
    for name in ADMINS_TABLES
)

# A statement is listed whole, since the mark by which it is found may stand at its end. The role of
# readers makes temporary tables of the external tables of a form; no statement of theirs does.
# The default profile names max_execution_time for the reader's sake: its constraint then
# forbids going back to this profile.
_USERS = f"""<clickhouse>
  <profiles>
    <default>
      <async_insert>0</async_insert>
      <implicit_select>0</implicit_select>
      <log_queries_cut_to_length>1073741824</log_queries_cut_to_length>
      <max_execution_time>0</max_execution_time>
    </default>
    <{READER_PROFILE}>
      <constraints>
{_CONSTRAINTS}
      </constraints>
    </{READER_PROFILE}>
  </profiles>
  <roles>
    <breakout_admin>
      <grants><query>GRANT ALL ON *.* WITH GRANT OPTION</query></grants>
    </breakout_admin>
    <{READER_ROLE}>
      <grants><query>GRANT SELECT, SHOW, CREATE TEMPORARY TABLE ON *.*</query></grants>
    </{READER_ROLE}>
  </roles>
  <users>
    <default>
      <password></password>
      <networks><ip>::/0</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants><query>GRANT breakout_admin, {READER_ROLE}</query></grants>
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
    """Write the configuration into ``directory`` and return the file the engine starts from."""
    users = directory / "users.xml"
    users.write_text(_USERS)
    # Not config.xml: the engine picks up a file of that name from the working directory,
    # and would do so while the module is imported
    engine = directory / "engine.xml"
    engine.write_text(_ENGINE.format(users=users))
    return engine
