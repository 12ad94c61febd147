using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard;

/// <summary>Refusals of a reference that was used before, with the object that has it.</summary>
internal static class References
{
    public const string Batch =
        "SELECT batch_id FROM card_batches WHERE merchant_id = @MerchantId AND reference = @Reference";

    public const string Card =
        "SELECT gift_card_id FROM gift_cards WHERE merchant_id = @MerchantId AND reference = @Reference";

    public const string Import =
        "SELECT import_id FROM card_imports WHERE merchant_id = @MerchantId AND reference = @Reference";

    public const string Operation = """
        SELECT gift_card_id
          FROM card_operations
         WHERE merchant_id = @MerchantId
           AND kind = @Kind
           AND reference = @Reference
           AND state <> 'refused'
        """;

    public const string Program =
        "SELECT program_id FROM programs WHERE merchant_id = @MerchantId AND reference = @Reference";

    public const string Redemption = """
        SELECT redemption_id
          FROM redemptions
         WHERE merchant_id = @MerchantId
           AND reference = @Reference
           AND state <> 'refused'
        """;

    public const string Refund = """
        SELECT refund_id
          FROM redemption_refunds
         WHERE merchant_id = @MerchantId
           AND reference = @Reference
           AND state <> 'refused'
        """;

    public const string Reward =
        "SELECT reward_id FROM rewards WHERE merchant_id = @MerchantId AND reference = @Reference";

    /// <summary>
    /// reference_reused for whoever met the unique index. Its transaction reads nothing any more, so another one looks;
    /// the other object may be gone again by then (a redemption that was refused), and is not named then.
    /// </summary>
    public static async Task<FaultException> ReusedAsync<TId>(
        Database database,
        string sql,
        MerchantId merchant,
        string reference,
        CancellationToken cancel,
        string? kind = null
    )
        where TId : struct, IId<TId>
    {
        var id = await database.QuerySingleOrDefaultAsync<TId?>(
            sql,
            new
            {
                MerchantId = merchant,
                Reference = reference,
                Kind = kind,
            },
            cancel
        );
        return id is { } found
            ? new(CommonFaults.ReferenceReused, $"{Ids.Format(found)} has this reference.")
            {
                Extensions = new Dictionary<string, object?> { ["used_by"] = Ids.Format(found) },
            }
            : new(CommonFaults.ReferenceReused, "The reference was used before.");
    }
}
