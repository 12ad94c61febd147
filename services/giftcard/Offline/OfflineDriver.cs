using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Offline;

/// <summary>
/// Carries offline items out: the redemption first, then what it left short, keyed by the item, so that request and
/// sweeper may both drive it. Card and shop have parted long ago; nothing here can refuse the sale any more.
/// </summary>
internal sealed class OfflineDriver(
    Database database,
    LedgerGateway ledger,
    LedgerAccounts accounts,
    RedemptionStore store,
    RedemptionDriver redemptions,
    ExpiredValue expired,
    TimeProvider time
)
{
    public async Task DriveAsync(Guid itemId, CancellationToken cancel)
    {
        if (
            await database.QuerySingleOrDefaultAsync<OfflineItemRow>(Sql.Get, new { ItemId = itemId }, cancel) is
            { State: "pending" } item
        )
        {
            await DriveAsync(item, cancel);
        }
    }

    /// <summary>
    /// The item as far as it could be brought; a silent ledger or a busy card leaves it to the sweeper.
    /// </summary>
    public async Task<OfflineItemRow> TryDriveAsync(OfflineItemRow item, CancellationToken cancel)
    {
        try
        {
            return await DriveAsync(item, cancel);
        }
        catch (LedgerUnknownException)
        {
            return item;
        }
        catch (FaultException busy) when (busy.Fault == Faults.GiftCardBusy)
        {
            return item;
        }
    }

    private async Task<OfflineItemRow> DriveAsync(OfflineItemRow item, CancellationToken cancel)
    {
        var paid = item.RedemptionId is { } id ? await RedeemAsync(item, id, cancel) : null;
        var captured = paid?.Progress.Captured ?? 0;
        var shortfall = item.Amount - captured;
        var transaction = shortfall == 0 ? null : await PostShortfallAsync(item, shortfall, cancel);
        await using var db = await database.BeginAsync(cancel);
        var done = await db.QuerySingleAsync<OfflineItemRow>(
            Sql.Finish,
            new
            {
                item.ItemId,
                Captured = captured,
                Shortfall = shortfall,
                ShortfallTransactionId = transaction,
                paid?.Refused?.FaultCode,
                Now = time.GetUtcNow(),
            }
        );
        await db.CommitAsync();
        return done;
    }

    private async Task<RedemptionRow> RedeemAsync(OfflineItemRow item, RedemptionId id, CancellationToken cancel)
    {
        var redemption = (await store.FindAsync(id, cancel))!;
        if (redemption.Row.State != RedemptionState.Authorizing)
        {
            return redemption.Row;
        }

        await expired.ReturnAsync(item, redemption, cancel);
        return (await redemptions.AuthorizeAsync(redemption, cancel)).Row;
    }

    /// <summary>In the merchant's own books, whoever issued the card: the goods were the merchant's.</summary>
    private async Task<TransactionId?> PostShortfallAsync(OfflineItemRow item, long shortfall, CancellationToken cancel)
    {
        var merchant = item.MerchantId;
        var books = await accounts.BooksAsync(merchant, item.Currency, cancel);
        var key = $"offline:{item.ItemId:N}";
        var request = new PostTransactionRequest
        {
            MerchantId = merchant.ToString(),
            IdempotencyKey = key,
            Reference = key,
            Kind = "offline_shortfall",
        };
        request.Postings.Add(
            new Posting
            {
                SourceAccountId = books.Receivable.ToString(),
                DestinationAccountId = books.Payable.ToString(),
                Amount = shortfall,
            }
        );
        request.Metadata.Add("offline_allowance", item.AllowanceId.ToString());
        return TransactionId.Parse((await ledger.PostAsync(request, cancel)).Transaction.TransactionId);
    }

    private static class Sql
    {
        public const string Get = $"{OfflineItemRow.Columns} WHERE i.item_id = @ItemId";

        // The first to come back writes it down; both say the same, the ledger's keys see to that.
        public const string Finish = $"""
            UPDATE offline_items i
               SET state = 'done', captured = @Captured, shortfall = @Shortfall,
                   shortfall_transaction_id = @ShortfallTransactionId,
                   fault_code = coalesce(@FaultCode, i.fault_code), drive_after = NULL, needs_attention = false,
                   finished_at = coalesce(i.finished_at, @Now)
             WHERE i.item_id = @ItemId
            RETURNING {OfflineItemRow.Fields}
            """;
    }
}
