using System.Runtime.ExceptionServices;
using Google.Protobuf.WellKnownTypes;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Points;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Wallet.Ledger;

/// <summary>
/// Books in the ledger what was decided here. The decision stands whether or not the ledger answers at once; the key of
/// a command is the movement's id with the number of refusals before, and its reference the movement's id, so it is
/// booked once however often it is driven. A refusal is one of order (what is spent is booked before what it was earned
/// by) and is tried again under another key. Commands that come at the same time share a call.
/// </summary>
internal sealed class LedgerCommands
{
    /// <summary>Commands in one call; the ledger takes 128.</summary>
    private const int CommandsPerCall = 64;

    /// <summary>Calls under way at once: one travels while another is answered.</summary>
    private const int CallsAtOnce = 2;

    private const int ErrorLength = 500;

    /// <summary>So long a caller waits, or as long as it has: what was decided stands without the ledger.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Database database;
    private readonly LedgerGateway ledger;
    private readonly LedgerAccounts accounts;
    private readonly TimeProvider time;
    private readonly ILogger<LedgerCommands> log;
    private readonly SharedCalls<MovementId, Exception?> calls;

    public LedgerCommands(
        Database database,
        LedgerGateway ledger,
        LedgerAccounts accounts,
        TimeProvider time,
        ILogger<LedgerCommands> log
    )
    {
        (this.database, this.ledger, this.accounts, this.time, this.log) = (database, ledger, accounts, time, log);
        calls = new(CommandsPerCall, CallsAtOnce, WhenOneFails.AllAreTold, BookAllAsync);
    }

    /// <summary>Drives these for a caller that waits; what the ledger does not take is left to the sweeper.</summary>
    public async Task TryAsync(IEnumerable<MovementId> movements, CancellationToken cancel)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(RequestDeadline.Within(Patience));
        foreach (var movement in movements)
        {
            try
            {
                await DriveAsync(movement, patience.Token);
            }
            catch (Exception silence)
                when (silence is LedgerUnknownException or OperationCanceledException || IsBusy(silence))
            {
                log.CommandNotBooked(movement, silence.Message);
                return;
            }
            catch (LedgerRefusedException refusal)
            {
                log.CommandNotBooked(movement, refusal.Message);
            }
        }
    }

    /// <summary>Books one, unless it is booked already.</summary>
    public async Task DriveAsync(MovementId id, CancellationToken cancel)
    {
        if (await calls.AskAsync(id, cancel) is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    /// <summary>Books these, each by itself: for each what came between, or null.</summary>
    private async Task<IReadOnlyList<Exception?>> BookAllAsync(IReadOnlyList<MovementId> ids)
    {
        var cancel = CancellationToken.None;
        var failures = new Dictionary<MovementId, Exception>();
        var requests = new List<(CommandRow Row, PostTransactionRequest Request)>();
        var rows = await database.QueryAsync<CommandRow>(
            Sql.Get,
            new { MovementIds = ids.Select(id => id.Value).Distinct().ToArray() },
            cancel
        );
        foreach (var row in rows)
        {
            try
            {
                requests.Add((row, await RequestAsync(row, cancel)));
            }
            catch (Exception failure) when (failure is LedgerUnknownException or LedgerRefusedException)
            {
                failures.Add(row.MovementId, failure);
            }
        }

        if (requests.Count > 0)
        {
            try
            {
                await BookAsync(requests, failures, cancel);
            }
            catch (LedgerUnknownException silence)
            {
                requests.ForEach(one => failures.TryAdd(one.Row.MovementId, silence));
            }
        }

        return [.. ids.Select(failures.GetValueOrDefault)];
    }

    private async Task BookAsync(
        List<(CommandRow Row, PostTransactionRequest Request)> requests,
        Dictionary<MovementId, Exception> failures,
        CancellationToken cancel
    )
    {
        var booked = new List<(MovementId Id, TransactionId Transaction)>();
        var refused = new List<(MovementId Id, int Refusals, string Error)>();
        var outcomes = await ledger.PostAllAsync([.. requests.Select(one => one.Request)], cancel);
        foreach (var ((row, _), outcome) in requests.Zip(outcomes))
        {
            if (outcome.Failure is { } failure)
            {
                failures.Add(row.MovementId, failure);
                if (failure is LedgerRefusedException)
                {
                    refused.Add((row.MovementId, row.Refusals, Short(failure.Message)));
                }
            }
            else
            {
                booked.Add((row.MovementId, TransactionId.Parse(outcome.Posted!.Transaction.TransactionId)));
            }
        }

        await using var db = await database.BeginAsync(cancel);
        if (booked.Count > 0)
        {
            await db.ExecuteAsync(
                Sql.Booked,
                new
                {
                    MovementIds = booked.Select(one => one.Id).ToArray(),
                    TransactionIds = booked.Select(one => one.Transaction).ToArray(),
                }
            );
        }

        if (refused.Count > 0)
        {
            await db.ExecuteAsync(
                Sql.Refused,
                new
                {
                    MovementIds = refused.Select(one => one.Id).ToArray(),
                    Refusals = refused.Select(one => one.Refusals).ToArray(),
                    Errors = refused.Select(one => one.Error).ToArray(),
                }
            );
        }

        await db.CommitAsync();
    }

    /// <summary>Takes commands whose time has come; whoever dies at one is followed by the next sweep.</summary>
    public async Task<IReadOnlyList<MovementId>> TakeDueAsync(int count, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        var due = await db.QueryAsync<MovementId>(
            Sql.Take,
            new
            {
                Now = time.GetUtcNow(),
                Take = count,
                FirstSeconds = LoyaltyLimits.TakeOver.TotalSeconds,
                LongestSeconds = LoyaltyLimits.LongestRetry.TotalSeconds,
                Attention = LoyaltyLimits.AttemptsUntilAttention,
            }
        );
        await db.CommitAsync();
        return due;
    }

    public async Task NoteErrorAsync(MovementId id, string error, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(Sql.NoteError, new { MovementId = id, Error = Short(error) });
        await db.CommitAsync();
    }

    private async Task<PostTransactionRequest> RequestAsync(CommandRow row, CancellationToken cancel)
    {
        var bookings = StoredJson.Read<Booking[]>(row.Bookings);
        var mayBeNegative = StoredJson.Read<LoyaltyTerms>(row.Terms).Negative == NegativePolicy.Allow;
        var points = await AccountsAsync(row, PointsAccounts.Asset(row.ProgramId), bookings.Where(b => !b.IsMoney));
        var money = await AccountsAsync(row, row.Currency, bookings.Where(b => b.IsMoney));
        var request = new PostTransactionRequest
        {
            MerchantId = row.MerchantId.ToString(),
            IdempotencyKey = $"{row.MovementId}:{row.Refusals}",
            Reference = row.MovementId.ToString(),
            Kind = row.Kind,
            EffectiveAt = row.EffectiveAt.ToTimestamp(),
        };
        request.Postings.AddRange(
            bookings.Select(booking => new Posting
            {
                SourceAccountId = (booking.IsMoney ? money : points)[booking.From].ToString(),
                DestinationAccountId = (booking.IsMoney ? money : points)[booking.To].ToString(),
                Amount = booking.Amount,
            })
        );
        return request;

        Task<IReadOnlyDictionary<string, AccountId>> AccountsAsync(
            CommandRow command,
            string asset,
            IEnumerable<Booking> of
        ) =>
            accounts.EnsureAsync(
                command.MerchantId,
                asset,
                [.. of.SelectMany(booking => new[] { booking.From, booking.To }).Distinct(StringComparer.Ordinal)],
                mayBeNegative,
                cancel
            );
    }

    private static bool IsBusy(Exception failure) =>
        failure is FaultException { Fault: var fault } && fault == CommonFaults.Busy;

    private static string Short(string error) => error.Length > ErrorLength ? error[..ErrorLength] : error;

    private sealed record CommandRow(
        MovementId MovementId,
        MerchantId MerchantId,
        ProgramId ProgramId,
        string Currency,
        string Terms,
        string Kind,
        string Bookings,
        int Refusals,
        DateTimeOffset EffectiveAt
    );

    private static class Sql
    {
        // In the order in which they were decided.
        public const string Get = """
            SELECT c.movement_id, c.merchant_id, c.program_id, p.currency, p.terms::text AS terms, c.kind,
                   c.bookings::text AS bookings, c.refusals, c.effective_at
              FROM ledger_commands c
              JOIN loyalty_programs p
                ON p.program_id = c.program_id
             WHERE c.movement_id = ANY(@MovementIds)
               AND c.drive_after IS NOT NULL
             ORDER BY c.movement_id
            """;

        public const string Booked = """
            UPDATE ledger_commands c
               SET transaction_id = b.transaction_id, drive_after = NULL, drive_error = NULL, needs_attention = false
              FROM unnest(@MovementIds, @TransactionIds) AS b (movement_id, transaction_id)
             WHERE c.movement_id = b.movement_id
               AND c.drive_after IS NOT NULL
            """;

        // Two that were refused the same key count it once.
        public const string Refused = """
            UPDATE ledger_commands c
               SET refusals = c.refusals + 1, drive_error = r.error
              FROM unnest(@MovementIds, @Refusals, @Errors) AS r (movement_id, refusals, error)
             WHERE c.movement_id = r.movement_id
               AND c.refusals = r.refusals
               AND c.drive_after IS NOT NULL
            """;

        public const string NoteError = """
            UPDATE ledger_commands
               SET drive_error = @Error
             WHERE movement_id = @MovementId
               AND drive_after IS NOT NULL
            """;

        // Taking a row moves its time away, doubling from try to try. Replicas share the rows.
        public const string Take = """
            UPDATE ledger_commands c
               SET drive_after = @Now + make_interval(secs => least(@LongestSeconds,
                   @FirstSeconds * 2 ^ least(c.drive_attempts, 16))),
                   drive_attempts = c.drive_attempts + 1,
                   needs_attention = c.needs_attention OR c.drive_attempts + 1 >= @Attention
              FROM (SELECT movement_id
                      FROM ledger_commands
                     WHERE drive_after <= @Now
                     ORDER BY drive_after, movement_id
                     LIMIT @Take
                       FOR UPDATE SKIP LOCKED) d
             WHERE c.movement_id = d.movement_id
            RETURNING c.movement_id
            """;
    }
}
