namespace LocalPlus.Giftcard.Reports;

/// <summary>What is owed, as of any instant.</summary>
internal static class ReportsFeature
{
    public static RouteGroupBuilder MapReports(this RouteGroupBuilder merchants)
    {
        merchants.MapLiabilityReport();
        merchants.MapBreakageReport();
        merchants.MapBreakageRecognition();
        merchants.MapSettlementReport();
        merchants.MapRedemptionFunnel();
        return merchants;
    }
}
