// Asks the embedded ClickHouse over HTTP with clickhouse-go, the driver of Grafana's plugin, and
// prints what it got as one JSON object. Arguments: host:port, user, password, database, read-only user, its password.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

const columns = "SELECT * FROM kinds ORDER BY id"

func open(compression *clickhouse.Compression) driver.Conn {
	conn, err := clickhouse.Open(options(compression))
	check(err)
	return conn
}

func options(compression *clickhouse.Compression) *clickhouse.Options {
	return &clickhouse.Options{
		Addr:        []string{os.Args[1]},
		Protocol:    clickhouse.HTTP,
		Auth:        clickhouse.Auth{Username: os.Args[2], Password: os.Args[3], Database: os.Args[4]},
		Compression: compression,
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// copyRows reads all rows of all kinds and inserts them into the table named.
func copyRows(ctx context.Context, conn driver.Conn, table string) int {
	rows, err := conn.Query(ctx, columns)
	check(err)
	defer rows.Close()
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+table)
	check(err)
	count := 0
	for rows.Next() {
		values := make([]any, len(rows.ColumnTypes()))
		for i, column := range rows.ColumnTypes() {
			values[i] = reflect.New(column.ScanType()).Interface()
		}
		check(rows.Scan(values...))
		for i := range values {
			values[i] = reflect.ValueOf(values[i]).Elem().Interface()
		}
		check(batch.Append(values...))
		count++
	}
	check(rows.Err())
	check(batch.Send())
	return count
}

func code(err error) int32 {
	var exception *clickhouse.Exception
	if errors.As(err, &exception) {
		return exception.Code
	}
	return 0
}

func main() {
	ctx := context.Background()
	conn := open(nil)
	said := map[string]any{}

	version, err := conn.ServerVersion()
	check(err)
	said["server"] = version.DisplayName
	said["copied"] = copyRows(ctx, conn, "copied")
	for _, method := range []clickhouse.CompressionMethod{
		clickhouse.CompressionLZ4, clickhouse.CompressionZSTD, clickhouse.CompressionGZIP,
	} {
		said["copied "+method.String()] = copyRows(ctx, open(&clickhouse.Compression{Method: method}), "copied")
	}

	var big uint64
	var text, id string
	check(conn.QueryRow(
		clickhouse.Context(ctx, clickhouse.WithQueryID("go's id"), clickhouse.WithParameters(clickhouse.Parameters{
			"big": "18446744073709551615", "text": "it's",
		})),
		"SELECT {big:UInt64}, {text:String}, queryID()",
	).Scan(&big, &text, &id))
	said["parameters"] = []string{fmt.Sprint(big), text, id}
	check(conn.QueryRow(ctx, "SELECT ?, ?", big, "it's \\ a\ttab").Scan(&big, &text))
	said["bound"] = []string{fmt.Sprint(big), text}

	_, err = conn.Query(ctx, "SELECT nosuch FROM kinds")
	said["error"] = code(err)
	rows, err := conn.Query(ctx, "SELECT throwIf(number = 2900000) FROM numbers(3000000)")
	if err == nil {
		for rows.Next() {
		}
		err = rows.Err()
	}
	said["late error"] = code(err)

	table, err := ext.NewTable("wanted", ext.Column("id", "UInt64"))
	check(err)
	check(table.Append(uint64(1)))
	var found uint64
	check(conn.QueryRow(
		clickhouse.Context(ctx, clickhouse.WithExternalTable(table)),
		"SELECT count() FROM kinds WHERE id IN wanted",
	).Scan(&found))
	said["external table"] = found

	rows, err = conn.Query(ctx, "SELECT number, toString(number) FROM numbers(1000000)")
	check(err)
	count, sum := 0, uint64(0)
	for rows.Next() {
		var number uint64
		var text string
		check(rows.Scan(&number, &text))
		count++
		sum += number
	}
	check(rows.Err())
	said["streamed"] = []any{count, sum}

	leaving, leave := context.WithCancel(ctx)
	rows, err = conn.Query(
		clickhouse.Context(leaving, clickhouse.WithQueryID("left by go")),
		"SELECT number, repeat('x', 1000) FROM numbers(1000000000)",
	)
	check(err)
	said["left after a row"] = rows.Next()
	leave()

	ending, end := context.WithTimeout(
		clickhouse.Context(ctx, clickhouse.WithQueryID("timed out by go")), 300*time.Millisecond)
	defer end()
	said["timed out"] = errors.Is(
		conn.Exec(ending, "SELECT sum(sleepEachRow(0.1)) FROM numbers(3000) SETTINGS max_block_size = 1"),
		context.DeadlineExceeded)
	err = conn.Exec(ctx, "SELECT sum(sleepEachRow(0.1)) FROM numbers(3000) SETTINGS max_block_size = 1, max_execution_time = 1")
	said["max_execution_time"] = code(err)

	// As Grafana's plugin does: database/sql, gzip, a ping first, as the read-only user
	reading := options(&clickhouse.Compression{Method: clickhouse.CompressionGZIP})
	reading.Auth.Username, reading.Auth.Password = os.Args[5], os.Args[6]
	db := clickhouse.OpenDB(reading)
	check(db.PingContext(ctx))
	var at time.Time
	var null sql.NullFloat64
	check(db.QueryRow("SELECT moment, maybe_float FROM kinds WHERE id = 2").Scan(&at, &null))
	said["grafana"] = []any{at.UTC().Format(time.RFC3339Nano), null.Valid}
	_, err = db.Exec("TRUNCATE TABLE kinds")
	said["grafana writes"] = code(err)

	check(json.NewEncoder(os.Stdout).Encode(said))
}
