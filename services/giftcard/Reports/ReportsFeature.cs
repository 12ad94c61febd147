namespace LocalPlus.Giftcard.Reports;

/// <summary>What is owed, as of any instant.</summary>
internal static class ReportsFeature
{
    public static void MapReports(this RouteGroupBuilder merchants)
    {
        merchants.MapLiabilityReport();
        merchants.MapBreakageReport();
        merchants.MapSettlementReport();
    }
}
