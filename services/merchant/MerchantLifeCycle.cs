using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant;

/// <summary>
/// The steps of a merchant's life: draft, review, active, suspended and back, closed for good. Each is a version with
/// its actor and reason.
/// </summary>
internal static class MerchantLifeCycle
{
    /// <param name="From">Where it begins; anywhere else it is refused.</param>
    internal sealed record Step(string Action, MerchantStatus[] From, MerchantStatus To);

    public static readonly Step Submit = new("submitted", [MerchantStatus.Draft], MerchantStatus.Review);
    public static readonly Step Approve = new("approved", [MerchantStatus.Review], MerchantStatus.Active);
    public static readonly Step Decline = new("declined", [MerchantStatus.Review], MerchantStatus.Draft);
    public static readonly Step Suspend = new("suspended", [MerchantStatus.Active], MerchantStatus.Suspended);
    public static readonly Step Resume = new("resumed", [MerchantStatus.Suspended], MerchantStatus.Active);
    public static readonly Step Close = new(
        "closed",
        [MerchantStatus.Draft, MerchantStatus.Review, MerchantStatus.Active, MerchantStatus.Suspended],
        MerchantStatus.Closed
    );

    /// <summary>
    /// Takes the step in the caller's transaction and returns the merchant after it. Refusals: not_found,
    /// merchant_state.
    /// </summary>
    public static async Task<MerchantRow> TakeAsync(
        DbSession db,
        MerchantId id,
        Step step,
        Actor actor,
        string? reason,
        ILogger log
    )
    {
        var row =
            await db.QuerySingleOrDefaultAsync<MerchantRow>(Sql.Lock, new { MerchantId = id })
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such merchant.");
        if (!step.From.Contains(row.Standing))
        {
            throw new FaultException(
                Faults.MerchantState,
                $"The merchant is {row.Status}; what begins at {string.Join(" or ", step.From.Select(Statuses.Text))}"
                    + " can not be done with it."
            );
        }

        var taken = row with
        {
            Status = Statuses.Text(step.To),
            StatusReason = reason,
            ActivatedAt = row.ActivatedAt ?? (step.To == MerchantStatus.Active ? db.Now : null),
            Version = row.Version + 1,
        };
        await db.ExecuteAsync(
            Sql.Take,
            new
            {
                MerchantId = id,
                taken.Status,
                taken.StatusReason,
                ActivatedAt = taken.ActivatedAt?.UtcDateTime,
                taken.Version,
            }
        );
        AuditNote.Current?.Of(id);
        AuditNote.Current?.Changed("status", row.Status, taken.Status);
        await MerchantVersions.AddAsync(db, taken, new(step.Action, actor, reason), log);
        return taken;
    }

    private static class Sql
    {
        public const string Lock = $"{MerchantRow.Columns} WHERE m.merchant_id = @MerchantId FOR NO KEY UPDATE";

        public const string Take = """
            UPDATE merchants
               SET status = @Status, status_reason = @StatusReason, activated_at = @ActivatedAt, version = @Version
             WHERE merchant_id = @MerchantId
            """;
    }
}
