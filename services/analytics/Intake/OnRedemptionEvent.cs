using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Intake;

/// <summary>
/// giftcard.redemptions.v1: what was paid with cards and points, and what was given back, at the merchant where it was
/// spent.
/// </summary>
internal static class OnRedemptionEvent
{
    internal sealed record Data(
        RedemptionId RedemptionId,
        long Amount,
        string Currency,
        LocationId? LocationId = null,
        TerminalId? TerminalId = null,
        IReadOnlyList<Source>? Sources = null
    );

    internal sealed record Source(long Amount, ProgramId? ProgramId = null);

    public static Task HandleAsync(
        IReadOnlyList<EventEnvelope<Data>> events,
        DbSession db,
        IServiceProvider services
    ) => Fact.AddAsync(db, [.. events.Select(ToFact).OfType<Fact>()]);

    private static Fact? ToFact(EventEnvelope<Data> e)
    {
        var kind = e.Type switch
        {
            "redemption.completed" => FactKinds.Redeemed,
            "redemption.refunded" => FactKinds.Refunded,
            _ => null,
        };
        return kind is null
            ? null
            : Fact.Of(
                e,
                kind,
                e.Data.RedemptionId.ToString(),
                e.Data.Amount,
                e.Data.Currency,
                new(e.Data.LocationId, e.Data.TerminalId),
                Parts(e.Data.Sources)
            );
    }

    private static Dictionary<Guid, long>? Parts(IReadOnlyList<Source>? sources) =>
        sources
            ?.Where(source => source.ProgramId is not null)
            .GroupBy(source => source.ProgramId!.Value.Value, source => source.Amount)
            .ToDictionary(program => program.Key, program => program.Sum());
}
