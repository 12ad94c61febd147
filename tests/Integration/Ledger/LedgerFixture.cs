using Grpc.Core;
using Grpc.Net.Client;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Kernel;
using LocalPlus.Servers;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>The ledger on a database of its own, reached by gRPC as the sidecar would.</summary>
public class LedgerFixture : IAsyncLifetime
{
    /// <summary>Whose accounts are those that are opened over gRPC.</summary>
    public const string Caller = "tests";

    private static readonly string Built = typeof(LocalPlus.Ledger.Faults).Assembly.Location;
    private readonly Metadata token = new()
    {
        { "dapr-api-token", RunningService.AppToken },
        { "dapr-caller-app-id", Caller },
    };
    private GrpcChannel? channel;

    public TestDatabase Database { get; private set; } = null!;

    public StubSidecar Sidecar { get; private set; } = null!;

    public RunningService Service { get; private set; } = null!;

    /// <summary>A server of the test's own instead of the one that all tests share.</summary>
    public PostgresServer? Server { get; init; }

    /// <summary>The program, when it is not the one that was built.</summary>
    public string Program { get; init; } = Built;

    /// <summary>Whether it is a process of its own, which a test may kill; another program always is.</summary>
    public bool IsProcess { get; init; }

    /// <summary>Where the service keeps its checkpoints outside the database.</summary>
    public string CheckpointPath { get; } =
        Path.Combine(Path.GetTempPath(), $"checkpoints-{Guid.CreateVersion7():N}.txt");

    public MerchantId Merchant { get; } = MerchantId.New(TimeProvider.System);

    public async Task InitializeAsync()
    {
        var migrations = typeof(LocalPlus.Ledger.Faults).Assembly;
        Database = await (
            Server is null
                ? TestDatabase.CreateAsync("ledger", migrations)
                : TestDatabase.CreateAsync("ledger", migrations, $"{Server.ConnectionString};Pooling=false")
        );
        Sidecar = await StubSidecar.StartAsync();
        await StartAsync();
    }

    /// <summary>Starts the service, perhaps with other settings than usual.</summary>
    public async Task StartAsync(params (string Name, string Value)[] settings)
    {
        Service = await RunningService.StartAsync(
            Program,
            Database,
            Sidecar.Port,
            0,
            inProcess: !IsProcess && Program == Built,
            [("LP_CHECKPOINTS", CheckpointPath), .. settings]
        );
        channel?.Dispose();
        channel = GrpcChannel.ForAddress($"http://127.0.0.1:{Service.AppPort}");
        Client = new LedgerService.LedgerServiceClient(channel);
        Invoker = channel.CreateCallInvoker();
    }

    /// <summary>Ends the process at once, as a crash does.</summary>
    public void Kill() => ((ServiceProcess)Service).Kill();

    /// <summary>Ends the service, which dies if it is a process, and starts it again with these settings.</summary>
    public async Task RestartAsync(params (string Name, string Value)[] settings)
    {
        await Service.DisposeAsync();
        await StartAsync(settings);
    }

    /// <summary>For requests that no client would send.</summary>
    public CallInvoker Invoker { get; private set; } = null!;

    public LedgerService.LedgerServiceClient Client { get; private set; } = null!;

    /// <summary>As the service called tests.</summary>
    public CallOptions Options => new(token);

    /// <summary>As another service, or whatever stands in the header.</summary>
    public static CallOptions OptionsOf(params string[] callers)
    {
        var metadata = new Metadata { { "dapr-api-token", RunningService.AppToken } };
        Array.ForEach(callers, caller => metadata.Add("dapr-caller-app-id", caller));
        return new(metadata);
    }

    /// <summary>Makes every account the merchant's own, as if it had opened them over REST.</summary>
    public async Task DisownAsync()
    {
        await using var owner = Npgsql.NpgsqlDataSource.Create(Database.OwnerConnectionString);
        await using var command = owner.CreateCommand("UPDATE accounts SET owner = NULL");
        await command.ExecuteNonQueryAsync();
    }

    public async Task DisposeAsync()
    {
        channel?.Dispose();
        await Service.DisposeAsync();
        await Sidecar.DisposeAsync();
        await Database.DisposeAsync();
        File.Delete(CheckpointPath);
    }

    /// <summary>Opens an account; unbounded ones may go below zero.</summary>
    public async Task<string> OpenAsync(string name, bool unbounded = false, string asset = "EUR")
    {
        var request = new OpenAccountsRequest { MerchantId = Merchant.ToString() };
        request.Accounts.Add(
            new OpenAccount
            {
                Name = name,
                Asset = asset,
                Policy = unbounded ? AccountPolicy.Unbounded : AccountPolicy.Unspecified,
            }
        );
        return (await Client.OpenAccountsAsync(request, Options)).Accounts[0].AccountId;
    }

    /// <summary>A card-like account with that much on it, loaded from the clearing account.</summary>
    public async Task<string> FundAsync(string name, long amount)
    {
        var (clearing, account) = (await OpenAsync("clearing", unbounded: true), await OpenAsync(name));
        await PostAsync($"load-{name}", clearing, account, amount);
        return account;
    }

    public async Task<PostTransactionResponse> PostAsync(
        string key,
        string from,
        string to,
        long amount,
        string? reference = null
    )
    {
        var request = new PostTransactionRequest
        {
            MerchantId = Merchant.ToString(),
            IdempotencyKey = key,
            Reference = reference ?? key,
            Kind = "load",
            Postings =
            {
                new Posting
                {
                    SourceAccountId = from,
                    DestinationAccountId = to,
                    Amount = amount,
                },
            },
        };
        return await Client.PostTransactionAsync(request, Options);
    }

    public async Task<Account> GetAsync(string account) =>
        (
            await Client.GetAccountsAsync(
                new GetAccountsRequest { MerchantId = Merchant.ToString(), AccountIds = { account } },
                Options
            )
        ).Accounts[0];

    public PlaceHoldRequest HoldOf(string key, long amount, params string[] sources)
    {
        var request = new PlaceHoldRequest
        {
            MerchantId = Merchant.ToString(),
            IdempotencyKey = key,
            Reference = key,
            Amount = amount,
            ExpiresAt = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(
                TimeProvider.System.GetUtcNow().AddMinutes(15)
            ),
        };
        request.Sources.AddRange(sources.Select(source => new HoldSource { AccountId = source }));
        return request;
    }

    /// <summary>The stable code a refused call carries.</summary>
    public static async Task<string?> RefusalAsync(Func<Task> call) =>
        (await Assert.ThrowsAsync<RpcException>(call)).Trailers.GetValue("localplus-code");
}

/// <summary>A ledger for classes that kill it, or look at its memory.</summary>
public sealed class LedgerProcess : LedgerFixture
{
    public LedgerProcess() => IsProcess = true;
}
