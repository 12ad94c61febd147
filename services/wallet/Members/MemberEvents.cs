using System.Diagnostics;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Members;

/// <summary>What is told about members: the state after each change, and what changed it.</summary>
internal static class MemberEvents
{
    private const string Topic = "wallet.members.v1";

    public const string Enrolled = "member.enrolled";
    public const string Left = "member.left";
    public const string Merged = "member.merged";
    public const string PointsChanged = "member.points_changed";
    public const string TierChanged = "member.tier_changed";

    /// <param name="Movement">What changed the points, with its kind; absent where nothing did.</param>
    internal sealed record Data(
        MemberId MemberId,
        ProgramId ProgramId,
        string State,
        string? Tier,
        long Points,
        long Pending,
        long Owed,
        MovementNews? Movement = null
    );

    /// <param name="Value">What members are owed more, or less, in minor units of the currency.</param>
    internal sealed record MovementNews(string Id, string Kind, long Points, long Pending, long Value, string Currency);

    /// <summary>The member as it is now.</summary>
    /// <param name="trace">Of the cause; absent: what runs now.</param>
    public static OutboxEvent Of(string type, MemberRow member, MovementNews? movement = null, string? trace = null) =>
        new(
            type,
            member.MemberId.ToString(),
            member.Version,
            member.MerchantId,
            new Data(
                member.MemberId,
                member.ProgramId,
                member.State,
                member.Tier,
                member.Points,
                member.Pending,
                member.Owed,
                movement
            ),
            trace ?? Activity.Current?.Id
        );

    public static Task PublishAsync(DbSession db, string type, MemberRow member) =>
        PublishAsync(db, [Of(type, member)], db.Now);

    public static Task PublishAsync(DbSession db, IReadOnlyList<OutboxEvent> events, DateTimeOffset now) =>
        db.PublishAsync(Topic, events, now);
}
