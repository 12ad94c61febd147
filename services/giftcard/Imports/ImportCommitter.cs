using System.Text.Json;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Imports;

/// <summary>
/// Makes cards of rows: first the cards, without value and not yet good; then their value in the ledger; then they are
/// active, with lot, activity and event. Nothing is open while the ledger or the wallet is asked, and each of the three
/// may be repeated.
/// </summary>
internal sealed class ImportCommitter(
    Database database,
    ImportBooks books,
    CardSecrets secrets,
    WalletCustomers wallet,
    TimeProvider time
)
{
    /// <summary>Addresses that the wallet is told of at once.</summary>
    private const int HoldersAtOnce = 8;

    public async Task AdvanceAsync(ImportRow import, CancellationToken cancel)
    {
        var rows = await ImportRows.NextAsync(database, import, cancel);
        if (rows.Count == 0)
        {
            await using var end = await database.BeginAsync(cancel);
            await ImportRows.FinishAsync(end, import, ImportState.Committed, time.GetUtcNow());
            await end.CommitAsync();
            return;
        }

        await books.OpenAsync(import, cancel);
        var placed = await PlaceAsync(import, rows, cancel);
        var groups = placed.Chunk(ImportRows.PerTransaction).ToArray();
        var transactions = await Task.WhenAll(groups.Select(group => books.FillAsync(import, group, cancel)));
        await FinishAsync(import, rows[^1], groups.Zip(transactions), cancel);
    }

    /// <summary>The rows that have a card: those that get one now, and those that got it in an earlier try.</summary>
    private async Task<IReadOnlyList<ImportedRow>> PlaceAsync(
        ImportRow import,
        IReadOnlyList<ImportedRow> rows,
        CancellationToken cancel
    )
    {
        var ready = rows.Where(r => r.State == ImportRowState.Ready).ToArray();
        var there = rows.Where(r => r.State == ImportRowState.Placed).ToArray();
        if (ready.Length == 0)
        {
            return there;
        }

        var cards = await ReadAsync(import, ready, cancel);
        await using var db = await database.BeginAsync(cancel);
        var made = (
            await db.QueryAsync<GiftCardId>(
                Sql.Place,
                new
                {
                    import.MerchantId,
                    import.ProgramId,
                    import.Currency,
                    GiftCardIds = Array.ConvertAll(ready, r => r.GiftCardId),
                    CodeHashes = Array.ConvertAll(ready, r => r.CodeHash!),
                    LastFours = Array.ConvertAll(ready, r => r.Last4!),
                    Expiries = Array.ConvertAll(ready, r => r.ExpiresAt?.UtcDateTime),
                    PinSalts = Array.ConvertAll(cards, c => c.PinSalt),
                    PinHashes = Array.ConvertAll(cards, c => c.PinHash),
                    CustomerIds = Array.ConvertAll(cards, c => c.Customer),
                    Now = time.GetUtcNow(),
                }
            )
        ).ToHashSet();
        await db.ExecuteAsync(
            Sql.Settle,
            new
            {
                import.ImportId,
                Parts = Array.ConvertAll(ready, r => r.Part),
                Lines = Array.ConvertAll(ready, r => r.Line),
                CustomerIds = Array.ConvertAll(cards, c => c.Customer),
                ArePlaced = Array.ConvertAll(ready, r => made.Contains(r.GiftCardId)),
                Refused = ready.Count(r => !made.Contains(r.GiftCardId)),
            }
        );
        await db.CommitAsync();
        return
        [
            .. there
                .Concat(
                    ready
                        .Zip(cards, (row, card) => row with { CustomerId = card.Customer })
                        .Where(r => made.Contains(r.GiftCardId))
                )
                .OrderBy(r => r.Part)
                .ThenBy(r => r.Line),
        ];
    }

    /// <summary>
    /// The PINs as they are kept, and the customers that the wallet makes of addresses: one with that address is the
    /// same each time.
    /// </summary>
    private async Task<CardSecret[]> ReadAsync(
        ImportRow import,
        ImportedRow[] rows,
        CancellationToken cancel
    )
    {
        var cards = new CardSecret[rows.Length];
        await Parallel.ForAsync(
            0,
            rows.Length,
            new ParallelOptions { MaxDegreeOfParallelism = HoldersAtOnce, CancellationToken = cancel },
            async (n, token) =>
            {
                var row = rows[n];
                var secret = row.Sealed is { } personal
                    ? JsonSerializer.Deserialize<ImportSecret>(
                        secrets.Open(personal, row.GiftCardId),
                        StrictJson.Lenient
                    )!
                    : null;
                var salt = secret?.Pin is null ? null : CardSecrets.NewSalt();
                cards[n] = new(
                    salt,
                    salt is null ? null : secrets.HashPin(secret!.Pin!, salt),
                    secret?.Email is { } email
                        ? await wallet.FindOrAddAsync(import.MerchantId, email, secret.Name, token)
                        : null
                );
            }
        );
        return cards;
    }

    private async Task FinishAsync(
        ImportRow import,
        ImportedRow last,
        IEnumerable<(ImportedRow[] Rows, TransactionId Transaction)> groups,
        CancellationToken cancel
    )
    {
        var now = time.GetUtcNow();
        var rows = groups.SelectMany(g => g.Rows, (g, row) => (Row: row, g.Transaction)).ToArray();
        await using var db = await database.BeginAsync(cancel);
        if (
            !await ImportRows.AdvanceAsync(
                db,
                import,
                last,
                ImportRowState.Imported,
                Array.ConvertAll(rows, r => r.Row),
                now
            )
        )
        {
            return;
        }

        if (rows.Length > 0)
        {
            await ActivateAsync(db, import, rows, now);
        }

        await db.CommitAsync();
    }

    private static async Task ActivateAsync(
        DbSession db,
        ImportRow import,
        (ImportedRow Row, TransactionId Transaction)[] rows,
        DateTimeOffset now
    )
    {
        await db.ExecuteAsync(
            Sql.Activate,
            new
            {
                GiftCardIds = Array.ConvertAll(rows, r => r.Row.GiftCardId),
                LotIds = Array.ConvertAll(rows, _ => new LotId(Guid.CreateVersion7(now))),
                AccountIds = Array.ConvertAll(rows, r => r.Row.AccountId),
                Expiries = Array.ConvertAll(rows, r => r.Row.ExpiresAt?.UtcDateTime),
                Now = now,
            }
        );
        await CardActivities.AddAsync(
            db,
            rows.Select(r => new CardActivity(
                r.Row.GiftCardId,
                ImportActivity.Import,
                r.Row.Amount!.Value,
                new(import.MerchantId, import.Currency, null, r.Transaction, import.Reference, null)
            )),
            now
        );
        await db.PublishAsync(
            CardEvents.Topic,
            [
                .. rows.Select(r =>
                    ImportActivity.Event(import, r.Row, "gift_card.imported", ImportActivity.ActiveVersion)
                ),
            ],
            now
        );
    }

    private sealed record CardSecret(byte[]? PinSalt, byte[]? PinHash, CustomerId? Customer);

    private static class Sql
    {
        // Whose code another card has got since the check stays out; so does, in a repeat, what is there already.
        public const string Place = """
            INSERT INTO gift_cards (gift_card_id, merchant_id, program_id, code_hash, last4, pin_salt, pin_hash, status,
                   currency, customer_id, expires_at, created_at)
            SELECT n.gift_card_id, @MerchantId, @ProgramId, n.code_hash, n.last4, n.pin_salt, n.pin_hash, 'pending',
                   @Currency, n.customer_id, n.expires_at, @Now
              FROM unnest(@GiftCardIds, @CodeHashes, @LastFours, @PinSalts, @PinHashes, @CustomerIds,
                          @Expiries::timestamptz[])
                AS n (gift_card_id, code_hash, last4, pin_salt, pin_hash, customer_id, expires_at)
             ORDER BY n.code_hash
                ON CONFLICT (code_hash) DO NOTHING
            RETURNING gift_card_id
            """;

        public const string Settle = """
            UPDATE card_import_rows r
               SET state = CASE WHEN d.is_placed THEN 'placed' ELSE 'refused' END,
                   fault = CASE WHEN d.is_placed THEN NULL ELSE 'code_taken' END,
                   customer_id = d.customer_id, sealed = NULL
              FROM unnest(@Parts, @Lines, @CustomerIds, @ArePlaced) AS d (part, line, customer_id, is_placed)
             WHERE r.import_id = @ImportId
               AND r.part = d.part
               AND r.line = d.line;
            UPDATE card_imports
               SET refused = refused + @Refused
             WHERE import_id = @ImportId
               AND @Refused > 0
            """;

        public const string Activate = """
            UPDATE gift_cards
               SET status = 'active', activated_at = @Now, version = version + 1
             WHERE gift_card_id = ANY(@GiftCardIds);
            INSERT INTO gift_card_lots (lot_id, gift_card_id, kind, account_id, expires_at, created_at)
            SELECT n.lot_id, n.gift_card_id, 'paid', n.account_id, n.expires_at, @Now
              FROM unnest(@LotIds, @GiftCardIds, @AccountIds, @Expiries::timestamptz[])
                AS n (lot_id, gift_card_id, account_id, expires_at)
            """;
    }
}
