"""The engine's configuration files, written at every start.

Users are checked by the HTTP layer (the embedded engine has no login); what a user may do is
enforced by the engine through the roles and the reader's profile. No secret is in these files.
"""

from __future__ import annotations

from pathlib import Path

# The limits of the reader that `breakout migrate` makes on a ClickHouse server, written out
# here because importing that module would double the time this process takes to start
READER_LIMITS = {
    "max_execution_time": 60,  # seconds
    "max_memory_usage": 4 * 2**30,  # bytes
    "max_result_rows": 5_000_000,
    "max_rows_to_read": 2_000_000_000,
}
READER_ROLE = "breakout_reader"
READER_PROFILE = "breakout_reader"
# Applied to a reader's connection; the profile keeps them from being changed to more
READER_SETTINGS = {
    **{name: str(most) for name, most in READER_LIMITS.items()},
    "do_not_merge_across_partitions_select_final": "1",
    "readonly": "2",
}
_CONSTRAINTS = "\n".join(
    f"        <{name}><min>1</min><max>{most}</max></{name}>"
    for name, most in READER_LIMITS.items()
)

# The default profile names max_execution_time for the reader's sake: its constraint then
# forbids going back to this profile.
_USERS = f"""<clickhouse>
  <profiles>
    <default>
      <async_insert>0</async_insert>
      <implicit_select>0</implicit_select>
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
      <grants><query>GRANT SELECT, SHOW, dictGet ON *.*</query></grants>
    </{READER_ROLE}>
  </roles>
  <users>
    <default>
      <password></password>
      <networks><ip>::/0</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants><query>GRANT breakout_admin, {READER_ROLE}</query></grants>
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
