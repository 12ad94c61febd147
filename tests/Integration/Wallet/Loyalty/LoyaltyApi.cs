using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Grpc.Core;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Kernel;
using LocalPlus.Servers;
using LocalPlus.Tests.Integration.Ledger;
using LocalPlus.Tests.Integration.Support;
using LocalPlus.Wallet.Customers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace LocalPlus.Tests.Integration.Wallet.Loyalty;

/// <summary>The wallet service before a ledger that runs, which a test may make deaf or mute.</summary>
public sealed class LoyaltyApi : IAsyncLifetime
{
    private static readonly string[] AllScopes =
    [
        "customers:read",
        "customers:write",
        "earnings:read",
        "earnings:write",
        "loyalty:read",
        "loyalty:write",
        "members:read",
        "members:write",
        "privacy:read",
        "privacy:write",
    ];

    private readonly LedgerFixture books = new();
    private WebApplication ledgerHost = null!;
    private int ledgerPort;

    public TestDatabase Database { get; private set; } = null!;

    /// <summary>The ledger behind it.</summary>
    public LedgerFixture Books => books;

    public RunningService Service { get; private set; } = null!;

    public StubSidecar Sidecar { get; private set; } = null!;

    internal LedgerDoor Ledger { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        await books.InitializeAsync();
        Ledger = new(books);
        Database = await TestDatabase.CreateAsync("wallet", typeof(PersonalData).Assembly);
        Sidecar = await StubSidecar.StartAsync();
        Sidecar.OnInvoke("merchant", "internal/locations/*", _ => Task.FromResult(Results.NoContent()));
        ledgerPort = FreePort.Next();
        ledgerHost = await StartLedgerAsync();
        Service = await RunningService.StartAsync(
            typeof(PersonalData).Assembly.Location,
            Database,
            Sidecar.Port,
            ledgerPort,
            [Pii]
        );
    }

    public async Task DisposeAsync()
    {
        await Service.DisposeAsync();
        await ledgerHost.DisposeAsync();
        await Sidecar.DisposeAsync();
        await Database.DisposeAsync();
        await books.DisposeAsync();
    }

    /// <summary>A new merchant with a key for everything about loyalty.</summary>
    public (MerchantId Merchant, string Key) NewMerchant(bool live = false)
    {
        var merchant = MerchantId.New(TimeProvider.System);
        return (merchant, Sidecar.IssueKey(merchant, live, AllScopes));
    }

    /// <summary>A key for everything about loyalty of a merchant that has others elsewhere.</summary>
    public string KeyOf(MerchantId merchant, bool live = false) => Sidecar.IssueKey(merchant, live, AllScopes);

    /// <summary>A programme of one point a euro, a point worth a cent, but for what is given.</summary>
    public async Task<string> ProgramAsync(string key, object? with = null)
    {
        var terms = new Dictionary<string, object?>
        {
            ["name"] = "Points",
            ["currency"] = "EUR",
            ["earn"] = new { points = 1, per = Eur(100) },
            ["point_value"] = new { points = 1, value = Eur(1) },
            ["time_zone"] = "Europe/Paris",
        };
        foreach (var member in JsonSerializer.SerializeToElement(with ?? new { }).EnumerateObject())
        {
            terms[member.Name] = member.Value;
        }

        return Id(await PostAsync(key, "/v1/loyalty_programs", terms, 201));
    }

    /// <summary>Somebody new in the programme.</summary>
    public async Task<string> MemberAsync(string key, string program, int? birthMonth = null) =>
        Id(
            await PostAsync(
                key,
                "/v1/members",
                new Dictionary<string, object?>
                {
                    ["program_id"] = program,
                    ["birth_month"] = birthMonth ?? 1,
                    ["email"] = $"{Guid.CreateVersion7():N}@example.test",
                },
                201
            )
        );

    public async Task<string> RuleAsync(string key, string program, object definition, long? budget = null)
    {
        var rule = new Dictionary<string, object?>
        {
            ["program_id"] = program,
            ["name"] = "A rule",
            ["definition"] = definition,
        };
        if (budget is { } all)
        {
            rule["budget"] = all;
        }

        return Id(await PostAsync(key, "/v1/earning_rules", rule, 201));
    }

    public Task<JsonElement> EarnAsync(
        string key,
        string member,
        long amount,
        string? reference = null,
        DateTimeOffset? releaseAt = null,
        int status = 201,
        string? idempotencyKey = null
    )
    {
        var body = new Dictionary<string, object?>
        {
            ["member_id"] = member,
            ["reference"] = reference ?? $"{Guid.CreateVersion7()}",
            ["amount"] = Eur(amount),
        };
        if (releaseAt is { } at)
        {
            body["release_at"] = at;
        }

        return PostAsync(key, "/v1/earnings", body, status, idempotencyKey);
    }

    public Task<JsonElement> PostAsync(
        string key,
        string path,
        object body,
        int status = 200,
        string? idempotencyKey = null
    ) => CallAsync(HttpMethod.Post, path, key, body, status, idempotencyKey ?? $"{Guid.CreateVersion7()}");

    public Task<JsonElement> GetAsync(string key, string path, int status = 200) =>
        CallAsync(HttpMethod.Get, path, key, null, status, null);

    /// <summary>"busy" is an invitation to repeat with the same key, as any till does.</summary>
    private async Task<JsonElement> CallAsync(
        HttpMethod method,
        string path,
        string key,
        object? body,
        int status,
        string? idempotencyKey
    )
    {
        var (result, text) = (default(JsonElement), "");
        await Eventually.TrueAsync(
            async () =>
            {
                using var answer = await Service.SendAsync(method, path, key, body, idempotencyKey);
                text = await answer.Content.ReadAsStringAsync();
                if ((int)answer.StatusCode is 503 or 429 && (int)answer.StatusCode != status)
                {
                    return false;
                }

                Assert.True(
                    status == (int)answer.StatusCode,
                    $"{path}: {(int)answer.StatusCode} {text}\n{Service.Output}"
                );
                result = text.Length == 0 ? default : JsonElement.Parse(text);
                return true;
            },
            because: () => $"{path} stays busy: {text}"
        );
        return result;
    }

    public async Task<JsonElement> PatchAsync(string key, string path, object body, long version, int status = 200)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, path) { Content = JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        request.Headers.TryAddWithoutValidation("If-Match", $"\"{version}\"");
        using var answer = await Service.Public.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(status == (int)answer.StatusCode, $"{path}: {(int)answer.StatusCode} {text}\n{Service.Output}");
        return JsonElement.Parse(text);
    }

    /// <summary>What a member may spend.</summary>
    public async Task<long> PointsAsync(string key, string member) =>
        (await GetAsync(key, $"/v1/members/{member}/balance")).GetProperty("available").GetInt64();

    /// <summary>What the books have on an account of the merchant once all that was decided is booked.</summary>
    public async Task<long> BookedAsync(MerchantId merchant, string name)
    {
        await EverythingIsBookedAsync(merchant);
        return await Ledger.BalanceAsync(merchant, name);
    }

    public Task EverythingIsBookedAsync(MerchantId merchant) =>
        Eventually.TrueAsync(
            async () =>
                await CountAsync($"ledger_commands WHERE merchant_id = '{merchant.Value}' AND drive_after IS NOT NULL")
                == 0,
            because: () => $"There is what was not booked.\n{Service.Output}"
        );

    public async Task<long> CountAsync(string rows)
    {
        await using var connection = new NpgsqlConnection(Database.OwnerConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"SELECT count(*) FROM {rows}", connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>What a test must tamper with.</summary>
    public async Task SqlAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Database.OwnerConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Runs a scheduled job as a CronJob does: a process of its own, to its end.</summary>
    public async Task RunJobAsync(string name)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(PersonalData).Assembly.Location, "job", name])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        (string Name, string Value)[] settings =
        [
            Pii,
            ("ASPNETCORE_ENVIRONMENT", "Development"),
            ("Secrets__database", Database.ConnectionString),
            ("DAPR_HTTP_PORT", $"{Sidecar.Port}"),
            ("DAPR_GRPC_PORT", $"{ledgerPort}"),
            ("LP_PUBLIC_PORT", $"{FreePort.Next()}"),
            ("APP_PORT", $"{FreePort.Next()}"),
            ("APP_API_TOKEN", RunningService.AppToken),
        ];
        foreach (var (variable, value) in settings)
        {
            start.Environment[variable] = value;
        }

        using var job = Process.Start(start)!;
        var output = job.StandardOutput.ReadToEndAsync();
        var errors = job.StandardError.ReadToEndAsync();
        await job.WaitForExitAsync();
        Assert.True(job.ExitCode == 0, await output + await errors);
    }

    public static object Eur(long amount) => new { amount, currency = "EUR" };

    public static string Id(JsonElement body) => body.GetProperty("id").GetString()!;

    public static string Code(JsonElement problem) => problem.GetProperty("code").GetString()!;

    private static (string Name, string Value) Pii => ("Secrets__pii_key", new string('k', 44));

    private async Task<WebApplication> StartLedgerAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.ListenLocalhost(ledgerPort, listen => listen.Protocols = HttpProtocols.Http2)
        );
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(Ledger);
        var app = builder.Build();
        app.MapGrpcService<LedgerDoor>();
        await app.StartAsync();
        return app;
    }
}

/// <summary>Passes the wallet's calls on to a ledger that runs, as the two sidecars between them do.</summary>
internal sealed class LedgerDoor(LedgerFixture books) : LedgerService.LedgerServiceBase
{
    private int calls;

    /// <summary>Calls are not answered, and have no effect.</summary>
    public bool IsDeaf { get; set; }

    /// <summary>Calls have their effect, but their answer is lost.</summary>
    public bool IsMute { get; set; }

    /// <summary>Calls wait for this before anything; null: they do not.</summary>
    public Task? Frozen { get; set; }

    public int Calls => calls;

    public override Task<OpenAccountsResponse> OpenAccounts(OpenAccountsRequest request, ServerCallContext context) =>
        PassAsync(books.Client.OpenAccountsAsync, request, context);

    public override Task<GetAccountsResponse> GetAccounts(GetAccountsRequest request, ServerCallContext context) =>
        PassAsync(books.Client.GetAccountsAsync, request, context);

    public override Task<ExecuteBatchResponse> ExecuteBatch(ExecuteBatchRequest request, ServerCallContext context) =>
        PassAsync(books.Client.ExecuteBatchAsync, request, context);

    /// <summary>What is on an account, over its stripes.</summary>
    public async Task<long> BalanceAsync(MerchantId merchant, string name)
    {
        await using var connection = new NpgsqlConnection(books.Database.OwnerConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            """
            SELECT coalesce(sum(e.amount), 0)::bigint
              FROM accounts a
              JOIN ledger_entries e
                ON e.account_id = a.account_id
             WHERE a.merchant_id = @merchant
               AND a.name = @name
            """,
            connection
        );
        command.Parameters.AddWithValue("merchant", merchant.Value);
        command.Parameters.AddWithValue("name", name);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private async Task<TResponse> PassAsync<TRequest, TResponse>(
        Func<TRequest, CallOptions, AsyncUnaryCall<TResponse>> call,
        TRequest request,
        ServerCallContext context
    )
    {
        Interlocked.Increment(ref calls);
        await (Frozen ?? Task.CompletedTask);
        if (IsDeaf)
        {
            throw Silence();
        }

        using var answer = call(
            request,
            LedgerFixture.OptionsOf("wallet").WithCancellationToken(context.CancellationToken)
        );
        var response = await answer;
        return IsMute ? throw Silence() : response;
    }

    private static RpcException Silence() => new(new Status(StatusCode.Unavailable, "away"));
}
