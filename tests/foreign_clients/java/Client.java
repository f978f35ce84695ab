import java.math.BigInteger;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

/**
 * Asks the embedded ClickHouse with its JDBC driver, and prints what it got, one "name: value" a
 * line. Arguments: host:port, user, password, database, read-only user, its password.
 */
public final class Client {
  private static final String SLEEPING =
      "SELECT sum(sleepEachRow(0.1)) FROM numbers(3000) SETTINGS max_block_size = 1, "
          + "timeout_before_checking_execution_speed = 0";

  private Client() {}

  public static void main(String[] arguments) throws Exception {
    Properties properties = new Properties();
    properties.setProperty("user", arguments[1]);
    properties.setProperty("password", arguments[2]);
    String url = "jdbc:clickhouse:http://" + arguments[0] + "/" + arguments[3];
    try (Connection connection = DriverManager.getConnection(url, properties)) {
      say("valid", connection.isValid(10));
      say("copied", copied(connection));
      try (PreparedStatement statement = connection.prepareStatement("SELECT ?, ?, ? > 1")) {
        statement.setObject(1, new BigInteger("18446744073709551615"));
        statement.setString(2, "it's \\ a\ttab");
        statement.setInt(3, 2);
        try (ResultSet rows = statement.executeQuery()) {
          rows.next();
          say("parameters", rows.getObject(1) + " " + rows.getString(2) + " " + rows.getBoolean(3));
        }
      }
      try (Statement statement = connection.createStatement()) {
        say("error", failure(() -> statement.executeQuery("SELECT nosuch FROM kinds")));
        String limited = SLEEPING + ", max_execution_time = 1";
        say("max_execution_time", failure(() -> statement.executeQuery(limited)));
      }
      try (Statement statement = connection.createStatement();
          ResultSet rows = statement.executeQuery("SELECT number FROM numbers(300000)")) {
        long count = 0;
        long sum = 0;
        while (rows.next()) {
          count++;
          sum += rows.getLong(1);
        }
        say("streamed", count + " " + sum);
      }
      try (Statement statement = connection.createStatement()) {
        // The driver reads what is left of a result when it is closed, unless it is cancelled
        ResultSet rows =
            statement.executeQuery("SELECT number, repeat('x', 1000) FROM numbers(1000000000)");
        say("left after a row", rows.next());
        statement.cancel();
      }
    }
    // A read-only user may end its own queries
    properties.setProperty("user", arguments[4]);
    properties.setProperty("password", arguments[5]);
    try (Connection connection = DriverManager.getConnection(url, properties)) {
      say("cancelled", cancelled(connection));
    }
    // The driver minds the timeout of a query if it does not wait for it in the same thread
    properties.setProperty("async", "true");
    try (Connection connection = DriverManager.getConnection(url, properties);
        Statement statement = connection.createStatement()) {
      statement.setQueryTimeout(1);
      say("timed out", failure(() -> statement.executeQuery(SLEEPING)) != 0);
      statement.cancel();
    }
  }

  /** Reads all rows of all kinds and inserts them. */
  private static int copied(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT * FROM kinds ORDER BY id")) {
      ResultSetMetaData columns = rows.getMetaData();
      int width = columns.getColumnCount();
      String marks = "?" + ", ?".repeat(width - 1);
      int count = 0;
      try (PreparedStatement insert =
          connection.prepareStatement("INSERT INTO copied VALUES (" + marks + ")")) {
        while (rows.next()) {
          for (int i = 1; i <= width; i++) {
            insert.setObject(i, rows.getObject(i));
          }
          insert.addBatch();
          count++;
        }
        insert.executeBatch();
      }
      return count;
    }
  }

  /** The code with which a query ends that is cancelled from elsewhere while it runs. */
  private static int cancelled(Connection connection) throws Exception {
    try (Statement statement = connection.createStatement()) {
      int[] code = new int[1];
      Thread running = new Thread(() -> code[0] = failure(() -> statement.executeQuery(SLEEPING)));
      running.start();
      // Cancelling what has not begun does nothing, as on any ClickHouse
      while (running.isAlive()) {
        try {
          statement.cancel();
        } catch (SQLException | RuntimeException notYet) {
          // No query was sent so far
        }
        running.join(100);
      }
      return code[0];
    }
  }

  private interface Asked {
    void run() throws SQLException;
  }

  private static int failure(Asked asked) {
    try {
      asked.run();
      return 0;
    } catch (SQLException error) {
      return error.getErrorCode() == 0 ? -1 : error.getErrorCode();
    }
  }

  private static void say(String name, Object value) {
    System.out.println(name + ": " + value);
  }
}
