using System.Text.Json;
using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Holds;

/// <summary>
/// A hold as the API shows it: a two-phase redemption for those whose systems speak of holds and captures. Both names
/// lead to the same thing, <paramref name="RedemptionId"/> says to which.
/// </summary>
internal sealed record HoldView(
    HoldId Id,
    RedemptionId RedemptionId,
    string State,
    string? Reference,
    Money Requested,
    Money Held,
    Money Captured,
    Money? Commission,
    IReadOnlyList<SourceView> Sources,
    DateTimeOffset? ExpiresAt,
    TransactionId? TransactionId,
    long Version,
    DateTimeOffset CreatedAt
)
{
    public string Object { get; } = "hold";

    public static HoldView Of(RedemptionView redemption) =>
        new(
            redemption.HoldId!.Value,
            redemption.Id,
            StateOf(redemption.State),
            redemption.Reference,
            redemption.Requested,
            redemption.Approved,
            redemption.Captured,
            redemption.Commission,
            redemption.Sources,
            redemption.HoldExpiresAt,
            redemption.TransactionId,
            redemption.Version,
            redemption.CreatedAt
        );

    /// <summary>An answer about a redemption, told as one about its hold; refusals stay as they are.</summary>
    public static IResult Of(IResult result)
    {
        if (result is not Answer { Status: >= 200 and < 300 } answer)
        {
            return result;
        }

        var hold = Of(JsonSerializer.Deserialize<RedemptionView>(answer.Body, StrictJson.Lenient)!);
        return answer with
        {
            Body = JsonSerializer.SerializeToUtf8Bytes(hold, StrictJson.Options),
            Location = answer.Location is null ? null : $"/v1/holds/{hold.Id}",
        };
    }

    private static string StateOf(string redemption) =>
        EnumText<RedemptionState>.Parse(redemption).Value switch
        {
            RedemptionState.Held => "pending",
            RedemptionState.Confirming => "capturing",
            RedemptionState.Releasing => "releasing",
            RedemptionState.Cancelled => "released",
            RedemptionState.Expired => "expired",
            _ => "captured",
        };
}
