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
/// by) and is tried again under another key.
/// </summary>
internal sealed class LedgerCommands(
    Database database,
    LedgerGateway ledger,
    LedgerAccounts accounts,
    TimeProvider time,
    ILogger<LedgerCommands> log
)
{
    private const int ErrorLength = 500;

    /// <summary>Drives these for a caller that waits; what the ledger does not take is left to the sweeper.</summary>
    public async Task TryAsync(IEnumerable<MovementId> movements, CancellationToken cancel)
    {
        foreach (var movement in movements)
        {
            try
            {
                await DriveAsync(movement, cancel);
            }
            catch (LedgerUnknownException silence)
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
        var row = await database.QuerySingleOrDefaultAsync<CommandRow>(Sql.Get, new { MovementId = id }, cancel);
        if (row is null)
        {
            return;
        }

        var request = await RequestAsync(id, row, cancel);
        try
        {
            var booked = await ledger.PostAsync(request, cancel);
            await WriteAsync(
                Sql.Booked,
                new { MovementId = id, TransactionId = TransactionId.Parse(booked.Transaction.TransactionId) },
                cancel
            );
        }
        catch (LedgerRefusedException refusal)
        {
            await WriteAsync(
                Sql.Refused,
                new
                {
                    MovementId = id,
                    row.Refusals,
                    Error = Short(refusal.Message),
                },
                cancel
            );
            throw;
        }
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

    public Task NoteErrorAsync(MovementId id, string error, CancellationToken cancel) =>
        WriteAsync(Sql.NoteError, new { MovementId = id, Error = Short(error) }, cancel);

    private async Task<PostTransactionRequest> RequestAsync(MovementId id, CommandRow row, CancellationToken cancel)
    {
        var bookings = StoredJson.Read<Booking[]>(row.Bookings);
        var mayBeNegative = StoredJson.Read<LoyaltyTerms>(row.Terms).Negative == NegativePolicy.Allow;
        var points = await AccountsAsync(row, PointsAccounts.Asset(row.ProgramId), bookings.Where(b => !b.IsMoney));
        var money = await AccountsAsync(row, row.Currency, bookings.Where(b => b.IsMoney));
        var request = new PostTransactionRequest
        {
            MerchantId = row.MerchantId.ToString(),
            IdempotencyKey = $"{id}:{row.Refusals}",
            Reference = id.ToString(),
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

    private async Task WriteAsync(string sql, object args, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(sql, args);
        await db.CommitAsync();
    }

    private static string Short(string error) => error.Length > ErrorLength ? error[..ErrorLength] : error;

    private sealed record CommandRow(
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
        public const string Get = """
            SELECT c.merchant_id, c.program_id, p.currency, p.terms::text AS terms, c.kind,
                   c.bookings::text AS bookings, c.refusals, c.effective_at
              FROM ledger_commands c
              JOIN loyalty_programs p
                ON p.program_id = c.program_id
             WHERE c.movement_id = @MovementId
               AND c.drive_after IS NOT NULL
            """;

        public const string Booked = """
            UPDATE ledger_commands
               SET transaction_id = @TransactionId, drive_after = NULL, drive_error = NULL, needs_attention = false
             WHERE movement_id = @MovementId
               AND drive_after IS NOT NULL
            """;

        // Two that were refused the same key count it once.
        public const string Refused = """
            UPDATE ledger_commands
               SET refusals = refusals + 1, drive_error = @Error
             WHERE movement_id = @MovementId
               AND refusals = @Refusals
               AND drive_after IS NOT NULL
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
