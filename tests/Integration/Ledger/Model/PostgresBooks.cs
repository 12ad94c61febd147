using System.Text;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Commit;
using LocalPlus.Ledger.Operations;
using LocalPlus.Tests.Unit.Ledger.Model;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace LocalPlus.Tests.Integration.Ledger.Model;

/// <summary>
/// The books on PostgreSQL, changed through the service's command path by two writers in turn, read by SQL of its own.
/// </summary>
internal sealed class PostgresBooks(NpgsqlDataSource database, OutboxSignal outbox, TimeProvider? time = null) : IBooks
{
    private static readonly FingerprintKeys Fingerprints = new(
        new ConfigurationBuilder()
            .AddInMemoryCollection(
                new Dictionary<string, string?> { ["Secrets:fingerprint_keys"] = $"1:{new string('f', 40)}" }
            )
            .Build()
    );

    private readonly LedgerClock clock = new();
    private MerchantId merchant;
    private int batches;

    public bool RemembersKeys => true;

    public async Task OpenAsync(MerchantId merchant, IReadOnlyList<Opening> accounts)
    {
        this.merchant = merchant;
        foreach (var account in accounts)
        {
            await using var command = database.CreateCommand(Sql.Open);
            command.Parameters.AddWithValue(account.Id.Value);
            command.Parameters.AddWithValue(merchant.Value);
            command.Parameters.AddWithValue(account.Name);
            command.Parameters.AddWithValue(account.Asset);
            command.Parameters.Add(new NpgsqlParameter<long?> { TypedValue = account.Floor });
            command.Parameters.Add(new NpgsqlParameter<long?> { TypedValue = account.Ceiling });
            command.Parameters.AddWithValue(account.Striped);
            await command.ExecuteNonQueryAsync();
        }
    }

    public async Task<IReadOnlyList<Reply>> RunAsync(IReadOnlyList<Request> batch, DateTimeOffset now)
    {
        clock.Offset = now - TimeProvider.System.GetUtcNow();
        Command[] commands =
        [
            .. batch.Select(request => new Command(
                request.Operation,
                ReplyDoor.Instance,
                request.Rehearses ? null : request.Key,
                request.Rehearses ? null : Fingerprints.Of(request.Operation.Name, Encoding.UTF8.GetBytes(request.Body))
            )
            {
                IsDryRun = request.Rehearses,
                QueuedAt = TimeProvider.System.GetTimestamp(),
            }),
        ];
        var stripe = (short)((++batches % 2) + 1);
        using var writer = new BatchWriter(
            database,
            outbox,
            clock,
            time ?? TimeProvider.System,
            stripe,
            NullLogger<BatchWriter>.Instance
        );
        writer.Write(commands);
        var replies = new List<Reply>();
        foreach (var command in commands)
        {
            replies.Add(ReplyDoor.Read(await command.Completion));
        }

        return replies;
    }

    public async Task SetStatusAsync(AccountId account, AccountStatus status)
    {
        await using var command = database.CreateCommand("UPDATE accounts SET status = $2 WHERE account_id = $1");
        command.Parameters.AddWithValue(account.Value);
        command.Parameters.AddWithValue(status.ToString().ToLowerInvariant());
        await command.ExecuteNonQueryAsync();
    }

    public Task<BooksState> ReadAsync() => ReadAsync(database, merchant);

    /// <summary>The books of one merchant.</summary>
    public static async Task<BooksState> ReadAsync(NpgsqlDataSource database, MerchantId merchant) =>
        new(
            await QueryAsync(
                database,
                merchant,
                Sql.Accounts,
                row => new AccountFact(
                    new AccountId(row.GetGuid(0)),
                    row.GetString(1),
                    row.IsDBNull(2) ? null : row.GetInt64(2),
                    row.IsDBNull(3) ? null : row.GetInt64(3),
                    row.GetString(4),
                    row.GetInt64(5),
                    row.GetInt64(6)
                )
            ),
            await QueryAsync(
                database,
                merchant,
                Sql.Entries,
                row => new EntryFact(
                    new TransactionId(row.GetGuid(0)),
                    row.GetInt16(1),
                    new AccountId(row.GetGuid(2)),
                    row.GetInt16(3),
                    row.GetInt64(4),
                    row.GetInt64(5),
                    row.GetInt64(6),
                    row.GetFieldValue<DateTimeOffset>(7)
                )
            ),
            await QueryAsync(
                database,
                merchant,
                Sql.Holds,
                row => new HoldFact(
                    new HoldId(row.GetGuid(0)),
                    Enum.Parse<HoldState>(row.GetString(1), ignoreCase: true),
                    row.GetInt64(2),
                    row.IsDBNull(3) ? null : new TransactionId(row.GetGuid(3))
                )
            ),
            await QueryAsync(
                database,
                merchant,
                Sql.Items,
                row => new HoldItemFact(
                    new HoldId(row.GetGuid(0)),
                    new AccountId(row.GetGuid(1)),
                    row.GetInt64(2),
                    row.GetInt64(3)
                )
            ),
            await QueryAsync(
                database,
                merchant,
                Sql.Transactions,
                row => new TransactionFact(
                    new TransactionId(row.GetGuid(0)),
                    row.IsDBNull(1) ? null : new TransactionId(row.GetGuid(1))
                )
            )
        );

    private static async Task<List<T>> QueryAsync<T>(
        NpgsqlDataSource database,
        MerchantId merchant,
        string sql,
        Func<NpgsqlDataReader, T> read
    )
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.AddWithValue(merchant.Value);
        await using var rows = await command.ExecuteReaderAsync();
        var found = new List<T>();
        while (await rows.ReadAsync())
        {
            found.Add(read(rows));
        }

        return found;
    }

    /// <summary>Writes a reply as text, so that what is stored and replayed is what the model compares.</summary>
    private sealed class ReplyDoor : Door
    {
        public static readonly ReplyDoor Instance = new();

        public override string Name => "model";

        public static Reply Read(Answer answer)
        {
            var text = Encoding.UTF8.GetString(answer.Body);
            if (answer.Status != 200)
            {
                return new Reply(text.Split(' ')[0], null, null, text);
            }

            var parts = text.Split('|');
            return new Reply(
                null,
                Ids.TryParse<TransactionId>(parts[0], out var transaction) ? transaction : null,
                Ids.TryParse<HoldId>(parts[1], out var hold) ? hold : null,
                text
            );
        }

        public override Answer Write(Result result)
        {
            var reply = Reply.Done(result);
            return new Answer(200, Encoding.UTF8.GetBytes($"{reply.Transaction}|{reply.Hold}|{reply.Text}"));
        }

        public override Answer Refuse(FaultException refusal) =>
            new(refusal.Fault.Status, Encoding.UTF8.GetBytes(Reply.Refused(refusal).Text));
    }

    private static class Sql
    {
        public const string Open = """
            WITH opened AS (
                INSERT INTO accounts (account_id, merchant_id, name, asset, floor, ceiling, striped, created_at, changed_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, 'epoch', 'epoch')
                RETURNING account_id, striped
            )
            INSERT INTO account_stripes (account_id, stripe, changed_at)
            SELECT account_id, stripe, 'epoch' FROM opened CROSS JOIN generate_series(1, 16) AS stripe WHERE striped
            """;

        public const string Accounts = """
            SELECT account_id, asset, floor, ceiling, status,
                   (posted + COALESCE((SELECT sum(s.posted) FROM account_stripes s WHERE s.account_id = a.account_id), 0))::bigint, held
              FROM accounts a WHERE merchant_id = $1
            """;

        public const string Entries = """
            SELECT transaction_id, line, account_id, stripe, sequence, amount, balance_after, e.recorded_at
              FROM ledger_entries e JOIN transactions USING (transaction_id) WHERE merchant_id = $1
            """;

        public const string Holds = "SELECT hold_id, state, captured, transaction_id FROM holds WHERE merchant_id = $1";

        public const string Items =
            "SELECT hold_id, account_id, held, i.captured FROM hold_items i JOIN holds USING (hold_id) WHERE merchant_id = $1";

        public const string Transactions = "SELECT transaction_id, reverses FROM transactions WHERE merchant_id = $1";
    }
}
