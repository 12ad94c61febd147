using System.Net.Sockets;
using System.Text;
using Npgsql;
using Testcontainers.PostgreSql;
using Testcontainers.Redis;
using Xunit;

namespace LocalPlus.Compat.Sdk.Tests.Containers;

public sealed class ContainerTests
{
    [Fact]
    public async Task A_PostgreSQL_server_has_the_database_and_user_asked_for_and_goes_when_disposed()
    {
        var server = new PostgreSqlBuilder("postgres:15-alpine")
            .WithDatabase("of tests").WithUsername("tester").WithPassword("a b/c").WithCommand("-c", "max_connections=17")
            .Build();
        await server.StartAsync();
        var connectionString = server.GetConnectionString() + ";Pooling=false";
        await using (var connection = new NpgsqlConnection(connectionString))
        {
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand(
                "SELECT current_user, current_database(), current_setting('max_connections'), current_setting('fsync')", connection);
            await using var row = await command.ExecuteReaderAsync();
            Assert.True(await row.ReadAsync());
            Assert.Equal(("tester", "of tests", "17", "off"), (row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3)));
        }

        Assert.Equal(0, (await server.ExecScriptAsync("CREATE TABLE t (n int); INSERT INTO t VALUES (1);")).ExitCode);
        var failed = await server.ExecScriptAsync("SELECT 1; SELECT nonsense;");
        Assert.NotEqual(0, failed.ExitCode);
        Assert.Contains("nonsense", failed.Stderr, StringComparison.Ordinal);

        await server.DisposeAsync();
        await using var gone = new NpgsqlConnection(connectionString);
        await Assert.ThrowsAsync<NpgsqlException>(() => gone.OpenAsync());
    }

    [Fact]
    public async Task Servers_run_side_by_side()
    {
        await using var one = new PostgreSqlBuilder("postgres:15").Build();
        await using var two = new PostgreSqlBuilder("postgres:15").WithCommand("-c", "fsync=on").Build();
        await Task.WhenAll(one.StartAsync(), two.StartAsync());

        Assert.NotEqual(one.GetMappedPublicPort(5432), two.GetMappedPublicPort(PostgreSqlBuilder.PostgreSqlPort));
        Assert.Contains("on", (await two.ExecScriptAsync("SHOW fsync")).Stdout, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_setting_that_does_not_exist_is_named()
    {
        await using var server = new PostgreSqlBuilder("postgres:15").WithCommand("-c", "no_such_setting=1").Build();
        var failed = await Assert.ThrowsAsync<InvalidOperationException>(() => server.StartAsync());

        Assert.Contains("no_such_setting", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Redis_server_answers_and_goes_when_disposed()
    {
        var server = new RedisBuilder("redis:7").WithCommand("--requirepass", "secret").Build();
        Assert.Throws<InvalidOperationException>(() => server.GetMappedPublicPort());
        await server.StartAsync();
        var port = server.GetMappedPublicPort(RedisBuilder.RedisPort);
        Assert.Equal($"127.0.0.1:{port}", server.GetConnectionString());
        using (var client = new TcpClient("127.0.0.1", port))
        {
            await client.GetStream().WriteAsync("AUTH secret\r\nSET k v\r\n"u8.ToArray());
            var answer = new byte[10];
            await client.GetStream().ReadExactlyAsync(answer);
            Assert.Equal("+OK\r\n+OK\r\n", Encoding.ASCII.GetString(answer));
        }

        await server.DisposeAsync();
        Assert.Throws<SocketException>(() => new TcpClient("127.0.0.1", port));
    }
}
