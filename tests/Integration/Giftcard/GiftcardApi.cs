using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Dapr.DurableTask.Protobuf;
using LocalPlus.Compat.Protos;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Servers;
using LocalPlus.Tests.Integration.Ledger;
using LocalPlus.Tests.Integration.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>
/// The gift card service with its own database, a sidecar that verifies keys, and behind the sidecar's
/// gRPC port a ledger in memory and an engine that is away unless a test turns it on: customers must be served without.
/// </summary>
public partial class GiftcardApi : IAsyncLifetime
{
    private static readonly string[] AllScopes =
    [
        "programs:read",
        "programs:write",
        "gift_cards:read",
        "gift_cards:write",
        "redemptions:read",
        "redemptions:write",
        "reports:read",
    ];

    private const int JobRuns = 3;

    /// <summary>What is another merchant's, whoever asks; everything else is the asking merchant's own.</summary>
    public static readonly Guid Stranger = Guid.CreateVersion7();

    /// <summary>What is asked of this is answered 404, and not by the peer itself.</summary>
    public static readonly Guid Unanswered = Guid.CreateVersion7();

    private readonly OperatorTokens operators = new();
    private WebApplication ledgerHost = null!;
    private int ledgerPort;

    public TestDatabase Database { get; private set; } = null!;

    public RunningService Service { get; private set; } = null!;

    public StubSidecar Sidecar { get; private set; } = null!;

    internal FakeLedger Ledger { get; } = new();

    /// <summary>When the ledger begins to work on calls, and how long those that came wait for it.</summary>
    internal LedgerPace Pace { get; } = new();

    /// <summary>A ledger that runs, instead of the one in memory; whoever sets it starts and ends it.</summary>
    public LedgerFixture? Books { get; init; }

    /// <summary>Whether the service is a process of its own, which dies when it is ended.</summary>
    public bool IsProcess { get; init; }

    internal FakeEngine Engine { get; } = new();

    internal StubStateStore State { get; } = new();

    /// <summary>Where <see cref="State"/> and the ledger are, for other services beside this one.</summary>
    public int GrpcPort => ledgerPort;

    /// <summary>Tills that merchant says are blocked.</summary>
    public ConcurrentDictionary<TerminalId, bool> BlockedTerminals { get; } = new();

    public MerchantId Merchant { get; private set; }

    public string Key { get; private set; } = "";

    public async Task InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync("giftcard", typeof(CardCode).Assembly);
        Sidecar = await StubSidecar.StartAsync();
        ledgerPort = FreePort.Next();
        ledgerHost = await StartLedgerAsync();
        (Merchant, Key) = NewMerchant();
        WalletAnswers();
        Sidecar.OnInvoke("wallet", "internal/customer_ids/*", OwnUnlessStrange);
        Sidecar.OnInvoke(
            "wallet",
            "internal/points_liability",
            _ => Task.FromResult(Results.Json(new { data = Array.Empty<object>() }))
        );
        MerchantAnswers();
        await StartAsync();
    }

    /// <summary>Merchant knows every location but a stranger's, and the terminals that tests register.</summary>
    public void MerchantAnswers()
    {
        Sidecar.OnInvoke("merchant", "internal/locations/*", OwnUnlessStrange);
        Sidecar.OnInvoke("merchant", "internal/terminals/*", FindTerminalAsync);
    }

    /// <summary>The wallet takes every address.</summary>
    public void WalletAnswers() =>
        Sidecar.OnInvoke(
            "wallet",
            "internal/customers",
            _ =>
                Task.FromResult(
                    Results.Json(new { customer_id = CustomerId.New(TimeProvider.System).ToString(), added = true })
                )
        );

    public async Task DisposeAsync()
    {
        await Service.DisposeAsync();
        await ledgerHost.DisposeAsync();
        await Sidecar.DisposeAsync();
        await Database.DisposeAsync();
        operators.Dispose();
    }

    /// <summary>
    /// Ends the service, which dies if it is a process, and starts it again on the same database, perhaps with other
    /// settings.
    /// </summary>
    public async Task RestartAsync(params (string Name, string Value)[] settings)
    {
        await Service.DisposeAsync();
        await StartAsync(settings);
    }

    /// <summary>Ends the service.</summary>
    public async Task StopAsync() => await Service.DisposeAsync();

    /// <summary>Starts the service, perhaps on another database: a backup that was restored.</summary>
    public Task StartAgainAsync(TestDatabase? restored = null)
    {
        Database = restored ?? Database;
        return StartAsync();
    }

    public (MerchantId Id, string Key) NewMerchant(bool live = false)
    {
        var merchant = MerchantId.New(TimeProvider.System);
        return (merchant, Sidecar.IssueKey(merchant, live, AllScopes));
    }

    /// <summary>The other merchant's consent to take a programme's cards at what its issuer offers.</summary>
    public async Task AcceptAsync(string program, string key)
    {
        var offer = await GetAsync($"/v1/acceptances/{program}", key: key);
        await PostAsync(
            $"/v1/acceptances/{program}/accept",
            new { commission_basis_points = offer.GetProperty("commission_basis_points").GetInt32() },
            key: key
        );
    }

    public string OperatorToken(string role) => operators.Mint(role);

    public string PersonToken(string subject) => operators.Mint("person", subject);

    public async Task<string> ProgramAsync(object? terms = null, string? key = null)
    {
        var answer = await PostAsync(
            "/v1/programs",
            terms ?? new { name = "Gift cards", currency = "EUR" },
            201,
            key: key
        );
        return answer.GetProperty("id").GetString()!;
    }

    /// <summary>Sells a card and returns its id and code.</summary>
    public async Task<(string Id, string Code)> SellAsync(long amount, string? program = null, string? key = null)
    {
        program ??= await ProgramAsync(key: key);
        var card = await PostAsync("/v1/gift_cards", new { program_id = program, amount = Eur(amount) }, 201, key: key);
        return (card.GetProperty("id").GetString()!, card.GetProperty("code").GetString()!);
    }

    public static object Eur(long amount) => new { amount, currency = "EUR" };

    public static object Redemption(
        string code,
        long amount,
        string mode = "immediate",
        string? partial = null,
        string? reference = null
    ) =>
        new
        {
            mode,
            amount = Eur(amount),
            sources = new[] { new { gift_card = new { code } } },
            partial,
            reference,
        };

    public Task<JsonElement> PostAsync(
        string path,
        object? body,
        int status = 200,
        string? idempotencyKey = null,
        string? key = null
    ) => CallAsync(HttpMethod.Post, path, key ?? Key, body, status, idempotencyKey);

    /// <summary>Changes an object under the version that was last seen.</summary>
    public async Task<JsonElement> PatchAsync(
        string path,
        object body,
        long? version,
        int status = 200,
        string? key = null
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, path) { Content = JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key ?? Key);
        if (version is { } seen)
        {
            request.Headers.TryAddWithoutValidation("If-Match", $"\"{seen}\"");
        }

        using var answer = await Service.Public.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(
            status == (int)answer.StatusCode,
            $"PATCH {path}: {(int)answer.StatusCode} {text}\n{Service.Output}"
        );
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    public Task<JsonElement> GetAsync(string path, int status = 200, string? key = null) =>
        CallAsync(HttpMethod.Get, path, key ?? Key, null, status);

    public Task<JsonElement> OperateAsync(string path, object body, int status = 200, string role = "admin") =>
        CallAsync(HttpMethod.Post, path, OperatorToken(role), body, status);

    public Task<JsonElement> InspectAsync(string path, int status = 200) =>
        CallAsync(HttpMethod.Get, path, OperatorToken("viewer"), null, status);

    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        string bearer,
        object? body,
        string? idempotencyKey,
        bool asAnswered = false
    )
    {
        using var request = new HttpRequestMessage(method, path);
        if (asAnswered)
        {
            request.Options.Set(ContractHandler.AsAnswered, true);
        }

        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        if (method == HttpMethod.Post)
        {
            if (idempotencyKey != "")
            {
                request.Headers.Add("Idempotency-Key", idempotencyKey ?? Guid.CreateVersion7().ToString());
            }

            request.Content = body is string text
                ? new StringContent(text, new MediaTypeHeaderValue("application/json"))
                : JsonContent.Create(
                    body ?? new { },
                    options: new JsonSerializerOptions
                    {
                        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
                    }
                );
        }

        return await Service.Public.SendAsync(request);
    }

    /// <summary>Sends, checks the status and returns the body.</summary>
    public async Task<JsonElement> CallAsync(
        HttpMethod method,
        string path,
        string bearer,
        object? body,
        int status,
        string? idempotencyKey = null
    )
    {
        // "busy" is an invitation to repeat with the same key, as any till does: on a slow machine the ledger's time
        // runs out, and what was begun with a card may not have ended.
        var key = idempotencyKey ?? Guid.CreateVersion7().ToString();
        var result = default(JsonElement);
        var text = "";
        await Eventually.TrueAsync(
            async () =>
            {
                using var answer = await SendAsync(method, path, bearer, body, key);
                text = await answer.Content.ReadAsStringAsync();
                var isBusy =
                    answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests
                    || text.Contains("\"gift_card_busy\"", StringComparison.Ordinal)
                    || text.Contains("\"request_in_progress\"", StringComparison.Ordinal);
                if (isBusy && status != (int)answer.StatusCode)
                {
                    return false;
                }

                Assert.True(
                    status == (int)answer.StatusCode,
                    $"{method} {path}: {(int)answer.StatusCode} {text}\n{Service.Output}"
                );
                result = JsonSerializer.Deserialize<JsonElement>(text);
                return true;
            },
            because: () => $"{method} {path} stays busy: {text}\n{Service.Output}"
        );
        return result;
    }

    /// <summary>What a test must tamper with.</summary>
    public async Task SqlAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Database.OwnerConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<long> CountAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Database.OwnerConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Runs a scheduled job as a CronJob does: a process of its own, to its end.</summary>
    public async Task RunJobAsync(string name)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(CardCode).Assembly.Location, "job", name])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (variable, value) in Settings())
        {
            start.Environment[variable] = value;
        }

        // One that met a silent ledger is run again, which is what a CronJob does too.
        for (var run = 1; ; run++)
        {
            using var job = Process.Start(start)!;
            var output = job.StandardOutput.ReadToEndAsync();
            var errors = job.StandardError.ReadToEndAsync();
            await job.WaitForExitAsync();
            if (job.ExitCode == 0)
            {
                return;
            }

            Assert.True(run < JobRuns, await output + await errors);
        }
    }

    public static Guid Uuid(string redemption) =>
        Ids.TryParse<RedemptionId>(redemption, out var id) ? id.Value : throw new FormatException(redemption);

    public static Guid CardUuid(string card) =>
        Ids.TryParse<GiftCardId>(card, out var id) ? id.Value : throw new FormatException(card);

    /// <summary>Waits until a redemption has the state.</summary>
    public Task StateAsync(string id, string state) =>
        Eventually.TrueAsync(
            async () => (await GetAsync($"/v1/redemptions/{id}")).GetProperty("state").GetString() == state,
            TimeSpan.FromSeconds(30),
            () => $"The redemption did not become {state}.\n{Service.Output}"
        );

    public static string Code(JsonElement problem) => problem.GetProperty("code").GetString()!;

    public static long Amount(JsonElement body, string name) => body.GetProperty(name).GetProperty("amount").GetInt64();

    /// <summary>Another replica on the same database; whoever starts it ends it.</summary>
    public Task<RunningService> StartReplicaAsync() => NewAsync([]);

    private async Task StartAsync(params (string Name, string Value)[] settings) => Service = await NewAsync(settings);

    private Task<RunningService> NewAsync((string Name, string Value)[] settings) =>
        RunningService.StartAsync(
            typeof(CardCode).Assembly.Location,
            Database,
            Sidecar.Port,
            ledgerPort,
            inProcess: !IsProcess,
            [.. Own(), .. settings]
        );

    private static Task<IResult> OwnUnlessStrange(HttpRequest request) =>
        Task.FromResult(
            request.Path.Value!.Contains(Base32.Format(Stranger), StringComparison.Ordinal)
                ? Problems.Result(CommonFaults.NoSuchObject, "There is no such thing.")
            : request.Path.Value!.Contains(Base32.Format(Unanswered), StringComparison.Ordinal) ? Results.NotFound()
            : Results.NoContent()
        );

    /// <summary>Where a till stands in these tests: at the place that has its number.</summary>
    public static LocationId PlaceOf(TerminalId terminal) => new(terminal.Value);

    private async Task<IResult> FindTerminalAsync(HttpRequest request)
    {
        var known = await OwnUnlessStrange(request);
        return
            known == Results.NoContent()
            && TerminalId.TryParse(request.Path.Value!.Split('/')[^1], null, out var terminal)
            ? Results.Json(
                new { location_id = PlaceOf(terminal).ToString(), blocked = BlockedTerminals.ContainsKey(terminal) }
            )
            : known;
    }

    private (string Name, string Value)[] Own() =>
        [
            ("Secrets__code_pepper", new string('p', 40)),
            ("LP_JWKS", operators.JwksPath),
            // Tests guess more than anybody may.
            ("LP_LIMIT_GUESS", "1000000/60"),
            ("LP_LIMIT_GUESS_ADDRESS", "1000000/60"),
        ];

    private IEnumerable<(string Name, string Value)> Settings() =>
        [
            .. Own(),
            ("ASPNETCORE_ENVIRONMENT", "Development"),
            ("Secrets__database", Database.ConnectionString),
            ("DAPR_HTTP_PORT", $"{Sidecar.Port}"),
            ("DAPR_GRPC_PORT", $"{ledgerPort}"),
            ("LP_PUBLIC_PORT", $"{FreePort.Next()}"),
            ("APP_PORT", $"{FreePort.Next()}"),
            ("APP_API_TOKEN", RunningService.AppToken),
        ];

    private async Task<WebApplication> StartLedgerAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.ListenLocalhost(ledgerPort, listen => listen.Protocols = HttpProtocols.Http2)
        );
        builder.Services.AddOfficialGrpc<FakeEngine>(TaskHubSidecarService.Descriptor);
        builder.Services.AddSingleton(Ledger);
        builder.Services.AddSingleton(Engine);
        builder.Services.AddOfficialGrpc<StubStateStore>(Dapr.Client.Autogen.Grpc.v1.Dapr.Descriptor);
        builder.Services.AddSingleton(State);
        if (Books is not null)
        {
            builder.Services.AddSingleton(Books);
        }

        var app = builder.Build();
        app.Use(Pace.InvokeAsync);
        _ = Books is null ? app.MapGrpcService<FakeLedger>() : app.MapGrpcService<LedgerBehind>();
        app.MapGrpcService<FakeEngine>();
        app.MapGrpcService<StubStateStore>();
        await app.StartAsync();
        return app;
    }
}

/// <summary>The gift card service for classes that let it die.</summary>
public sealed class GiftcardProcess : GiftcardApi
{
    public GiftcardProcess() => IsProcess = true;
}
