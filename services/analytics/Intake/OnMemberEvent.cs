using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Intake;

/// <summary>
/// wallet.members.v1: what moved members' points. Each event is a movement once, however often and in whatever order
/// it comes.
/// </summary>
internal static class OnMemberEvent
{
    /// <param name="Value">What members are owed more, or less, in minor units.</param>
    internal sealed record Movement(
        string Kind,
        long Points,
        long Pending,
        long? Value = null,
        string? Currency = null
    );

    internal sealed record Data(ProgramId ProgramId, Movement? Movement = null);

    public static async Task HandleAsync(
        IReadOnlyList<EventEnvelope<Data>> events,
        DbSession db,
        IServiceProvider services
    )
    {
        var moved = events.Where(e => e.Data.Movement is not null).ToArray();
        if (moved.Length == 0)
        {
            return;
        }

        await db.ExecuteAsync(
            Sql.Add,
            new
            {
                EventIds = Array.ConvertAll(moved, e => e.Id),
                MerchantIds = Array.ConvertAll(moved, e => e.MerchantId!.Value),
                ProgramIds = Array.ConvertAll(moved, e => e.Data.ProgramId),
                Days = Array.ConvertAll(moved, e => DateOnly.FromDateTime(e.OccurredAt.UtcDateTime)),
                Kinds = Array.ConvertAll(moved, e => e.Data.Movement!.Kind),
                Points = Array.ConvertAll(moved, e => e.Data.Movement!.Points),
                Pending = Array.ConvertAll(moved, e => e.Data.Movement!.Pending),
                Values = Array.ConvertAll(moved, e => e.Data.Movement!.Value),
                Currencies = Array.ConvertAll(moved, e => e.Data.Movement!.Currency),
                OccurredAts = Array.ConvertAll(moved, e => e.OccurredAt.UtcDateTime),
            }
        );
    }

    private static class Sql
    {
        public const string Add = """
            INSERT INTO loyalty_movements (event_id, merchant_id, program_id, day, kind, points, pending, value,
                   currency, occurred_at)
            SELECT *
              FROM unnest(@EventIds::uuid[], @MerchantIds::uuid[], @ProgramIds::uuid[], @Days::date[], @Kinds::text[],
                          @Points::bigint[], @Pending::bigint[], @Values::bigint[], @Currencies::text[],
                          @OccurredAts::timestamptz[])
                ON CONFLICT DO NOTHING
            """;
    }
}
