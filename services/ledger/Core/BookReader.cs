using Dapper;
using LocalPlus.Hosting;

namespace LocalPlus.Ledger.Core;

/// <summary>Locks and reads everything a batch touches, in one round trip.</summary>
internal static class BookReader
{
    public static async Task<(Book Book, Dictionary<(Guid, string, string), StoredCommand> Known)> ReadAsync(
        DbSession db, IReadOnlyList<Command> batch, DateTimeOffset now)
    {
        var references = batch.SelectMany(command => command.References.Select(reference => (command.MerchantId, Reference: reference))).ToArray();
        var args = new
        {
            AccountIds = batch.SelectMany(command => command.AccountIds).Distinct().ToArray(),
            HoldIds = batch.Where(command => command.HoldId is not null).Select(command => command.HoldId!.Value).Distinct().ToArray(),
            TransactionIds = batch.Where(command => command.TransactionId is not null).Select(command => command.TransactionId!.Value).Distinct().ToArray(),
            ReferenceMerchants = references.Select(r => r.MerchantId).ToArray(),
            References = references.Select(r => r.Reference).ToArray(),
            Merchants = batch.Select(command => command.MerchantId).ToArray(),
            Operations = batch.Select(command => command.Operation).ToArray(),
            Keys = batch.Select(command => command.Key).ToArray(),
        };
        await using var results = await db.Connection.QueryMultipleAsync(
            new CommandDefinition(Sql.Read, args, db.Transaction, cancellationToken: db.Cancel));
        var book = new Book(now);
        foreach (var account in await results.ReadAsync<Account>())
        {
            book.Accounts.Add(account.AccountId, account);
        }

        foreach (var hold in await results.ReadAsync<Hold>())
        {
            book.Holds.Add(hold.HoldId, hold);
        }

        foreach (var item in await results.ReadAsync<ItemRow>())
        {
            book.Holds[item.HoldId].Items.Add(new HoldItem { AccountId = item.AccountId, Held = item.Held, Captured = item.Captured });
        }

        AddTransactions(book, await results.ReadAsync<PostingRow>());
        foreach (var taken in await results.ReadAsync<ReferenceRow>())
        {
            book.TakenReferences.Add((taken.MerchantId, taken.Reference));
        }

        var known = (await results.ReadAsync<CommandRow>()).ToDictionary(
            row => (row.MerchantId, row.Operation, row.IdempotencyKey),
            row => new StoredCommand(row.Fingerprint, new Outcome(row.Answer, row.FaultCode is null ? null : Faults.ByCode[row.FaultCode])));
        return (book, known);
    }

    /// <summary>The originals with their postings, and what their reversals took from each (matched in posting order).</summary>
    private static void AddTransactions(Book book, IEnumerable<PostingRow> rows)
    {
        foreach (var transaction in rows.GroupBy(row => row.OriginalId))
        {
            var own = transaction.Where(row => row.TransactionId == row.OriginalId).OrderBy(row => row.Ordinal).ToArray();
            var past = new PastTransaction(transaction.Key, own[0].MerchantId, own[0].ReversesTransactionId,
                [.. own.Select(row => new Posting(row.SourceAccountId, row.DestinationAccountId, row.Amount))]);
            foreach (var back in transaction.Where(row => row.TransactionId != row.OriginalId))
            {
                var amount = back.Amount;
                for (var i = 0; i < past.Postings.Count && amount > 0; i++)
                {
                    var posting = past.Postings[i];
                    if (posting.Source == back.DestinationAccountId && posting.Destination == back.SourceAccountId)
                    {
                        var part = Math.Min(amount, posting.Amount - past.Reversed[i]);
                        past.Reversed[i] += part;
                        amount -= part;
                    }
                }
            }

            book.Transactions.Add(past.TransactionId, past);
        }
    }

    private sealed record ItemRow(Guid HoldId, Guid AccountId, long Held, long Captured);

    private sealed record PostingRow(
        Guid OriginalId, Guid TransactionId, Guid MerchantId, Guid? ReversesTransactionId, int Ordinal,
        Guid SourceAccountId, Guid DestinationAccountId, long Amount);

    private sealed record ReferenceRow(Guid MerchantId, string Reference);

    private sealed record CommandRow(
        Guid MerchantId, string Operation, string IdempotencyKey, byte[] Fingerprint, string? FaultCode, byte[] Answer);

    private static class Sql
    {
        // Accounts first and in id order: two writers never wait for each other in a circle. Everything read after that
        // sees what the previous owner of the locks committed.
        public const string Read = """
            SELECT account_id, merchant_id, name, asset, policy, status, posted, held, version
              FROM accounts
             WHERE account_id = ANY(ARRAY(
                       SELECT unnest(@AccountIds)
                       UNION
                       SELECT account_id FROM hold_items WHERE hold_id = ANY(@HoldIds)
                       UNION
                       SELECT unnest(ARRAY[source_account_id, destination_account_id])
                         FROM postings WHERE transaction_id = ANY(@TransactionIds)))
             ORDER BY account_id
               FOR UPDATE;

            SELECT hold_id, merchant_id, reference, state, requested, captured, transaction_id, metadata::text AS metadata,
                   placed_at, expires_at, version
              FROM holds
             WHERE hold_id = ANY(@HoldIds)
             ORDER BY hold_id
               FOR UPDATE;

            SELECT hold_id, account_id, held, captured
              FROM hold_items
             WHERE hold_id = ANY(@HoldIds)
             ORDER BY hold_id, ordinal;

            SELECT COALESCE(o.original_id, t.transaction_id) AS original_id, t.transaction_id, t.merchant_id,
                   t.reverses_transaction_id, p.ordinal, p.source_account_id, p.destination_account_id, p.amount
              FROM (SELECT id AS transaction_id, id AS original_id FROM unnest(@TransactionIds) AS id
                    UNION ALL
                    SELECT transaction_id, reverses_transaction_id FROM transactions
                     WHERE reverses_transaction_id = ANY(@TransactionIds)) AS o
              JOIN transactions t USING (transaction_id)
              JOIN postings p USING (transaction_id)
             ORDER BY t.recorded_at, t.transaction_id, p.ordinal;

            SELECT r.merchant_id, r.reference
              FROM unnest(@ReferenceMerchants, @References) AS r (merchant_id, reference)
             WHERE EXISTS (SELECT 1 FROM transactions t
                            WHERE r.reference LIKE 't:%' AND t.merchant_id = r.merchant_id AND t.reference = substr(r.reference, 3))
                OR EXISTS (SELECT 1 FROM holds h
                            WHERE r.reference LIKE 'h:%' AND h.merchant_id = r.merchant_id AND h.reference = substr(r.reference, 3));

            SELECT c.merchant_id, c.operation, c.idempotency_key, c.fingerprint, c.fault_code, c.answer
              FROM unnest(@Merchants, @Operations, @Keys) AS k (merchant_id, operation, idempotency_key)
              JOIN commands c USING (merchant_id, operation, idempotency_key)
             GROUP BY c.merchant_id, c.operation, c.idempotency_key;
            """;
    }
}
