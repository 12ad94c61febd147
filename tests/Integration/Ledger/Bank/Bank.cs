using System.Collections.Concurrent;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Tests.Integration.Ledger.History;
using LocalPlus.Tests.Integration.Support;
using Npgsql;
using Interval = LocalPlus.Tests.Integration.Ledger.History.Interval;

namespace LocalPlus.Tests.Integration.Ledger.Bank;

/// <summary>What a till was told, once it was told something definite.</summary>
/// <param name="Again">Sends the same request under the same key once more.</param>
internal sealed record Told(Interval Time, string? Refusal, IMessage? Answer, Func<Task<IMessage>> Again);

/// <summary>
/// Tills that move value between a few accounts and look at all of them, whatever happens to the ledger meanwhile: an
/// unknown outcome is asked for under its key until it is known. Every run can be repeated by its seed.
/// </summary>
internal sealed class Bank(LedgerFixture ledger, int seed)
{
    public const int Cards = 10;
    private const long Load = 1_000;
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(8);
    private readonly ConcurrentQueue<Told> told = new();
    private readonly ConcurrentQueue<Read> reads = new();
    private readonly ConcurrentDictionary<string, string> unexpected = new(StringComparer.Ordinal);
    private string[] accounts = [];
    private string payable = "";
    private int acknowledged;
    private int unknown;

    public int Acknowledged => Volatile.Read(ref acknowledged);

    /// <summary>How many answers were lost on their way and asked for again.</summary>
    public int Unknown => Volatile.Read(ref unknown);

    /// <summary>Codes that no till should ever see.</summary>
    public IReadOnlyDictionary<string, string> Unexpected => unexpected;

    /// <summary>Whether a till asks again until it knows; without it one try is all.</summary>
    public bool Insists { get; init; } = true;

    public IReadOnlyCollection<Told> Answers => told;

    public IReadOnlyCollection<Read> Reads => reads;

    public async Task OpenAsync()
    {
        var clearing = await ledger.OpenAsync("clearing", unbounded: true);
        var opening = new OpenAccountsRequest
        {
            MerchantId = ledger.Merchant.ToString(),
            Accounts =
            {
                new OpenAccount
                {
                    Name = "payable",
                    Asset = "EUR",
                    Striped = true,
                },
            },
        };
        payable = (await ledger.Client.OpenAccountsAsync(opening, ledger.Options)).Accounts[0].AccountId;
        var cards = new List<string>();
        for (var i = 0; i < Cards; i++)
        {
            cards.Add(await ledger.OpenAsync($"card-{i}"));
            await ledger.PostAsync($"load-{i}", clearing, cards[i], Load);
        }

        accounts = [clearing, .. cards];
    }

    /// <summary>Works until it is told to stop.</summary>
    public Task WorkAsync(int tills, CancellationToken stop) =>
        Task.WhenAll(
            Enumerable
                .Range(0, tills)
                .Select(till =>
                    Task.Run(async () =>
                    {
                        var random = new Random(HashCode.Combine(seed, till));
                        for (var i = 0; !stop.IsCancellationRequested; i++)
                        {
                            await StepAsync(random, string.Create(CultureInfo.InvariantCulture, $"till-{till}-{i}"));
                        }
                    })
                )
        );

    /// <summary>Waits until so many more answers are there.</summary>
    public async Task MoreAsync(int answers, TimeSpan limit)
    {
        var target = Acknowledged + answers;
        await Eventually.TrueAsync(
            () => Acknowledged >= target,
            limit,
            () => $"{Acknowledged} answers of {target}: {string.Join(", ", unexpected)}\n{ledger.Service.Output}"
        );
    }

    /// <summary>All that was written, in the words of the checker.</summary>
    public async Task<IReadOnlyList<Write>> WritesAsync()
    {
        await using var connection = new NpgsqlConnection(ledger.Database.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SELECT transaction_id, account_id, stripe, sequence FROM ledger_entries",
            connection
        );
        await using var rows = await command.ExecuteReaderAsync();
        var writes = new List<Write>();
        while (await rows.ReadAsync())
        {
            var account = new Kernel.AccountId(rows.GetGuid(1)).ToString();
            writes.Add(
                new Write(
                    new Kernel.TransactionId(rows.GetGuid(0)).ToString(),
                    rows.GetInt16(2) == 0 ? account : $"{account}/{rows.GetInt16(2)}",
                    rows.GetInt64(3)
                )
            );
        }

        return writes;
    }

    /// <summary>When each transaction that a till knows of was under way.</summary>
    public IReadOnlyDictionary<string, Interval> Times() =>
        told.Select(t => (Id: TransactionOf(t.Answer), t.Time))
            .Where(t => t.Id.Length > 0)
            .ToDictionary(t => t.Id, t => t.Time, StringComparer.Ordinal);

    public static string TransactionOf(IMessage? answer) =>
        answer switch
        {
            PostTransactionResponse posted => posted.Transaction.TransactionId,
            HoldResponse hold => hold.Hold.TransactionId,
            _ => "",
        };

    private async Task StepAsync(Random random, string key)
    {
        var (from, to) = (accounts[1 + random.Next(Cards)], accounts[1 + random.Next(Cards)]);
        var amount = random.Next(1, 60);
        switch (random.Next(10))
        {
            case < 4 when from != to:
                var answer = await TellAsync(Post(key, from, to, amount));
                if (answer is PostTransactionResponse posted && random.Next(4) == 0)
                {
                    await TellAsync(Reverse($"{key}-back", posted.Transaction.TransactionId));
                }

                break;
            case < 8:
                await HoldAsync(random, key, from, amount);
                break;
            default:
                await ReadAsync(key);
                break;
        }
    }

    private async Task HoldAsync(Random random, string key, string from, int amount)
    {
        if (await TellAsync(Place(key, from, amount)) is not HoldResponse hold)
        {
            return;
        }

        // Two tills of one merchant that do not know of each other: exactly one of them may win.
        var capture = random.Next(3) > 0;
        var both = random.Next(5) == 0;
        List<Task> settling = [];
        if (capture || both)
        {
            settling.Add(TellAsync(Capture($"{key}-capture", hold.Hold.HoldId, random.Next(2) == 0 ? 0 : 1)));
        }

        if (!capture || both)
        {
            settling.Add(TellAsync(Release($"{key}-release", hold.Hold.HoldId)));
        }

        await Task.WhenAll(settling);
    }

    private async Task ReadAsync(string key)
    {
        var start = TimeProvider.System.GetTimestamp();
        try
        {
            var request = new GetAccountsRequest
            {
                MerchantId = ledger.Merchant.ToString(),
                AccountIds = { accounts, payable },
            };
            var answer = await ledger.Client.GetAccountsAsync(request, Call());
            var time = new Interval(start, TimeProvider.System.GetTimestamp());
            reads.Enqueue(
                new Read(key, time, [.. answer.Accounts.Where(a => !a.Striped).Select(a => (a.AccountId, a.Version))])
            );
            if (
                answer.Accounts.Sum(a => a.Posted) != 0
                || answer.Accounts.Any(a => a.HasFloor && (a.Available < a.Floor || a.Held < 0))
            )
            {
                unexpected.TryAdd("wrong total or negative", answer.ToString());
            }
        }
        catch (Exception exception) when (exception is RpcException or ObjectDisposedException)
        {
            // A read that failed says nothing.
            Interlocked.Increment(ref unknown);
        }
    }

    private async Task<IMessage?> TellAsync(Func<LedgerService.LedgerServiceClient, Task<IMessage>> send)
    {
        var start = TimeProvider.System.GetTimestamp();
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            try
            {
                return Know(start, null, await send(ledger.Client), () => send(ledger.Client));
            }
            catch (RpcException refusal)
                when (refusal.Trailers.GetValue("localplus-code") is { } code and not ("busy" or "internal_error"))
            {
                return Know(start, code, null, () => send(ledger.Client));
            }
            catch (Exception exception) when (exception is RpcException or ObjectDisposedException)
            {
                Interlocked.Increment(ref unknown);
                if (
                    exception is RpcException { StatusCode: StatusCode.Internal } bug
                    && bug.Trailers.GetValue("localplus-code") is "internal_error"
                )
                {
                    unexpected.TryAdd("internal_error", bug.Message);
                }

                if (!Insists)
                {
                    return null;
                }
            }

            await pause.WaitForNextTickAsync();
        }
    }

    private IMessage? Know(long start, string? refusal, IMessage? answer, Func<Task<IMessage>> again)
    {
        told.Enqueue(new Told(new Interval(start, TimeProvider.System.GetTimestamp()), refusal, answer, again));
        Interlocked.Increment(ref acknowledged);
        return answer;
    }

    private CallOptions Call() => ledger.Options.WithDeadline(TimeProvider.System.GetUtcNow().UtcDateTime + CallLimit);

    private Func<LedgerService.LedgerServiceClient, Task<IMessage>> Post(
        string key,
        string from,
        string to,
        long amount
    )
    {
        var request = new PostTransactionRequest
        {
            MerchantId = ledger.Merchant.ToString(),
            IdempotencyKey = key,
            Reference = key,
            Kind = "transfer",
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
        return async client => await client.PostTransactionAsync(request, Call());
    }

    private Func<LedgerService.LedgerServiceClient, Task<IMessage>> Reverse(string key, string transaction)
    {
        var request = new ReverseTransactionRequest
        {
            MerchantId = ledger.Merchant.ToString(),
            IdempotencyKey = key,
            TransactionId = transaction,
            Reference = key,
        };
        return async client => await client.ReverseTransactionAsync(request, Call());
    }

    private Func<LedgerService.LedgerServiceClient, Task<IMessage>> Place(string key, string from, long amount)
    {
        var request = ledger.HoldOf(key, amount, from);
        return async client => await client.PlaceHoldAsync(request, Call());
    }

    private Func<LedgerService.LedgerServiceClient, Task<IMessage>> Capture(string key, string hold, long amount)
    {
        var request = new CaptureHoldRequest
        {
            MerchantId = ledger.Merchant.ToString(),
            IdempotencyKey = key,
            HoldId = hold,
            Amount = amount,
            Reference = key,
            Capture = new HoldCapture { DestinationAccountId = payable },
        };
        return async client => await client.CaptureHoldAsync(request, Call());
    }

    private Func<LedgerService.LedgerServiceClient, Task<IMessage>> Release(string key, string hold)
    {
        var request = new ReleaseHoldRequest
        {
            MerchantId = ledger.Merchant.ToString(),
            IdempotencyKey = key,
            HoldId = hold,
        };
        return async client => await client.ReleaseHoldAsync(request, Call());
    }
}
