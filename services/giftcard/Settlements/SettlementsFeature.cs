using LocalPlus.Hosting;

namespace LocalPlus.Giftcard.Settlements;

/// <summary>Months between the merchants of a coalition, closed.</summary>
internal static class SettlementsFeature
{
    public static void AddSettlements(this WebApplicationBuilder builder) =>
        builder.Services.AddJob<CloseMonths>("settlement-months");

    public static RouteGroupBuilder MapSettlements(this RouteGroupBuilder merchants)
    {
        merchants.MapCloseMonth();
        merchants.MapListStatements();
        merchants.MapGetStatementSheet();
        return merchants;
    }
}
