using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using Dapper;
using LocalPlus.Merchant.Keys;
using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Identity;

/// <summary>
/// Secrets that are changed while a service runs: the password of its role, keys by version, peppers and the sidecar's
/// token; without a restart and without a failed request. Also the exercise of docs/guides/rotating-secrets.md.
/// </summary>
public sealed class RotationTests : IAsyncLifetime
{
    /// <summary>The relay keeps two sessions for as long as it leads.</summary>
    private const int SessionsOfTheRelay = 2;
    private const int Burst = 40;
    private static readonly string FirstPepper = new('p', 40);
    private static readonly string NextPepper = new('q', 40);

    /// <summary>Roles belong to the server that all tests share, so this one is nobody else's.</summary>
    private readonly string role = $"merchant_{Guid.CreateVersion7():N}";
    private readonly OperatorTokens operators = new();
    private TestDatabase database = null!;
    private StubSidecar sidecar = null!;
    private StubSecretStore store = null!;
    private ServiceProcess service = null!;

    public async Task InitializeAsync()
    {
        database = await TestDatabase.CreateAsync("merchant", typeof(KeyText).Assembly);
        await AsSuperuserAsync($"CREATE ROLE {role} LOGIN PASSWORD 'first' IN ROLE merchant");
        sidecar = await StubSidecar.StartAsync();
        store = await StubSecretStore.StartAsync();
        store.Entry["database"] = Connection("first");
        store.Entry["fingerprint_keys"] = $"1:{new string('f', 40)}";
        store.Entry["key_pepper"] = FirstPepper;
        store.Entry["checkpoint_key"] = RunningService.CheckpointKey;
        service = await ServiceProcess.StartAsync(
            typeof(KeyText).Assembly.Location,
            database,
            sidecar.Port,
            store.Port,
            ("Secrets__database", ""),
            ("Secrets__fingerprint_keys", ""),
            ("Secrets__checkpoint_key", ""),
            ("LP_SECRETS_SECONDS", "1"),
            ("LP_JWKS", operators.JwksPath)
        );
    }

    public async Task DisposeAsync()
    {
        await service.DisposeAsync();
        await store.DisposeAsync();
        await sidecar.DisposeAsync();
        await database.DisposeAsync();
        await AsServerAsync($"DROP ROLE {role}");
        operators.Dispose();
    }

    [Fact]
    public async Task A_password_is_changed_under_load_and_no_request_fails()
    {
        var (_, key) = await OnboardAsync();
        await service.CallAsync(HttpMethod.Get, "/v1/api_keys", key);
        var before = await database.ScalarAsync<DateTime>("SELECT clock_timestamp()");

        // First the role, then the store: those who need a new connection in between wait for it.
        await AsSuperuserAsync($"ALTER ROLE {role} PASSWORD 'second'");
        var answers = Task.WhenAll(Enumerable.Range(0, Burst).Select(_ => AnswerAsync(key)).ToArray());
        store.Entry["database"] = Connection("second");
        Assert.All(await answers, status => Assert.Equal(HttpStatusCode.OK, status));

        // What was opened with the old one is given up when it is handed back.
        string[] left = [];
        await Eventually.TrueAsync(
            async () => (left = await SessionsBeforeAsync(before)).Length <= SessionsOfTheRelay,
            because: () => $"{string.Join(", ", left)}\n{service.Output}"
        );

        // It leaked: whoever still has a session of before loses it, and nothing is failed by that either.
        await AsSuperuserAsync(
            $"""
            SELECT pg_terminate_backend(pid)
              FROM pg_stat_activity
             WHERE usename = '{role}'
               AND backend_start < '{before:O}'
            """
        );
        await service.CallAsync(HttpMethod.Get, "/v1/api_keys", key);
        await Eventually.TrueAsync(async () => (await SessionsBeforeAsync(before)).Length == 0);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => ConnectAsync("first"));
        Assert.Equal(PostgresErrorCodes.InvalidPassword, refused.SqlState);
    }

    /// <summary>Asks until the service is not busy: a slow machine may wait longer than a request may.</summary>
    private async Task<HttpStatusCode> AnswerAsync(string key)
    {
        var status = default(HttpStatusCode);
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await service.SendAsync(HttpMethod.Get, "/v1/api_keys", key);
            status = answer.StatusCode;
            return status != HttpStatusCode.ServiceUnavailable;
        });
        return status;
    }

    [Fact]
    public async Task Keys_of_fingerprints_and_peppers_are_replaced_by_version()
    {
        var idempotencyKey = Guid.CreateVersion7().ToString();
        var (first, key) = await OnboardAsync(idempotencyKey);
        store.Entry["fingerprint_keys"] = $"2:{new string('g', 40)},1:{new string('f', 40)}";
        store.Entry["key_pepper"] = $"{NextPepper},{FirstPepper}";
        await TakenAsync(1);

        // What was asked under the old key is known, what was made under the old pepper is good.
        var (again, _) = await OnboardAsync(idempotencyKey);
        Assert.Equal(first, again);
        await service.CallAsync(HttpMethod.Get, "/v1/api_keys", key);
        var (_, made) = await OnboardAsync();

        // The old pepper goes: keys that were made under it end, the others do not notice.
        store.Entry["key_pepper"] = NextPepper;
        await TakenAsync(2);
        await service.CallAsync(HttpMethod.Get, "/v1/api_keys", key, status: 401);
        await service.CallAsync(HttpMethod.Get, "/v1/api_keys", made);
    }

    [Fact]
    public async Task The_key_of_checkpoints_is_replaced_and_the_one_of_before_still_told()
    {
        var (_, key) = await OnboardAsync();
        var first = await service.CallAsync(HttpMethod.Get, "/v1/audit/key", key);
        Assert.Empty(first.GetProperty("previous").EnumerateArray());
        using var next = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        store.Entry["checkpoint_key"] =
            $"{Convert.ToBase64String(next.ExportPkcs8PrivateKey())}, {RunningService.CheckpointKey}";
        await TakenAsync(1);

        var second = await service.CallAsync(HttpMethod.Get, "/v1/audit/key", key);
        Assert.Equal(next.ExportSubjectPublicKeyInfoPem(), second.GetProperty("pem").GetString());
        var before = Assert.Single(second.GetProperty("previous").EnumerateArray());
        Assert.Equal(first.GetProperty("pem").GetString(), before.GetProperty("pem").GetString());

        store.Entry["checkpoint_key"] = "bm8ga2V5";
        await Eventually.TrueAsync(() =>
            service.Output.Contains("secrets could not be read again", StringComparison.Ordinal)
        );
        Assert.Equal(second.GetRawText(), (await service.CallAsync(HttpMethod.Get, "/v1/audit/key", key)).GetRawText());
    }

    [Fact]
    public async Task A_sidecar_that_is_replaced_shows_its_own_token_and_the_one_of_before_ends()
    {
        var (_, key) = await OnboardAsync();
        await AskAsSidecarAsync("next", key, HttpStatusCode.Unauthorized);
        store.Entry["app_tokens"] = "next, one after";
        await TakenAsync(1);
        await AskAsSidecarAsync("next", key, HttpStatusCode.OK);
        await AskAsSidecarAsync("one after", key, HttpStatusCode.OK);
        await AskAsSidecarAsync(RunningService.AppToken, key, HttpStatusCode.OK);
        store.Entry.TryRemove("app_tokens", out _);
        await TakenAsync(2);
        await AskAsSidecarAsync("next", key, HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_secret_that_reads_wrong_is_not_taken()
    {
        var (_, key) = await OnboardAsync();
        store.Entry["key_pepper"] = "short";
        await Eventually.TrueAsync(() =>
            service.Output.Contains("secrets could not be read again", StringComparison.Ordinal)
        );
        await service.CallAsync(HttpMethod.Get, "/v1/api_keys", key);
    }

    private async Task AskAsSidecarAsync(string token, string key, HttpStatusCode status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/internal/api_keys/verify")
        {
            Content = JsonContent.Create(new { key }),
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Add("dapr-api-token", token);
        using var client = new HttpClient { BaseAddress = service.App.BaseAddress };
        using var answer = await client.SendAsync(request);
        Assert.Equal(status, answer.StatusCode);
    }

    private Task TakenAsync(int times) =>
        Eventually.TrueAsync(
            () => service.Output.Split("secrets were changed").Length - 1 >= times,
            because: () => service.Output
        );

    private async Task<(string Id, string Key)> OnboardAsync(string? idempotencyKey = null)
    {
        var body = await service.CallAsync(
            HttpMethod.Post,
            "/v1/merchants",
            operators.Mint("admin"),
            new
            {
                name = "Le Fournil",
                country = "FR",
                currency = "EUR",
                contact_email = "hello@fournil.test",
            },
            201,
            idempotencyKey
        );
        return (body.GetProperty("id").GetString()!, body.GetProperty("api_key").GetProperty("key").GetString()!);
    }

    /// <summary>Sessions of the role that began before an instant: what each did last.</summary>
    private async Task<string[]> SessionsBeforeAsync(DateTime instant)
    {
        await using var connection = new NpgsqlConnection(database.SuperuserConnectionString);
        await connection.OpenAsync();
        return
        [
            .. await connection.QueryAsync<string>(
                "SELECT state || ' ' || query FROM pg_stat_activity WHERE usename = @role AND backend_start < @instant",
                new { role, instant }
            ),
        ];
    }

    private async Task ConnectAsync(string password)
    {
        await using var connection = new NpgsqlConnection(Connection(password) + ";Pooling=false");
        await connection.OpenAsync();
    }

    private string Connection(string password) =>
        new NpgsqlConnectionStringBuilder(database.ConnectionString)
        {
            Username = role,
            Password = password,
        }.ConnectionString;

    private Task AsSuperuserAsync(string sql) => ExecuteAsync(database.SuperuserConnectionString, sql);

    private Task AsServerAsync(string sql) =>
        ExecuteAsync(
            new NpgsqlConnectionStringBuilder(database.SuperuserConnectionString)
            {
                Database = "postgres",
            }.ConnectionString,
            sql
        );

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
