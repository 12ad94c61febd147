namespace LocalPlus.Giftcard.Jobs;

/// <summary>Everything long that a merchant starts, in one place.</summary>
internal static class JobsFeature
{
    public static RouteGroupBuilder MapJobs(this RouteGroupBuilder merchants)
    {
        merchants.MapGetJob();
        merchants.MapGetJobErrors();
        merchants.MapCancelJob();
        return merchants;
    }
}
