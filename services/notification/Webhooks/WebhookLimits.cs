namespace LocalPlus.Notification.Webhooks;

/// <summary>Every bound of webhooks that is not a setting, in one place.</summary>
internal static class WebhookLimits
{
    public const int EndpointsPerMerchant = 50;
    public const int UrlLength = 2048;
    public const int DescriptionLength = 500;
    public const int EventTypesPerEndpoint = 50;
    public const int OverlapSecondsDefault = 24 * 60 * 60;
    public const int OverlapSecondsMax = 7 * OverlapSecondsDefault;

    /// <summary>How many deliveries one request queues again.</summary>
    public const int RedeliveriesPerRequest = 5000;

    /// <summary>What a replica sends at once, to everybody and to one endpoint; to one that fails, one.</summary>
    public const int Sends = 512;
    public const int SendsPerEndpoint = 8;

    /// <summary>Places that endpoints which fail may take of those of everybody.</summary>
    public const int SendsToFailing = 128;

    /// <summary>
    /// To an endpoint that fails nothing is sent for a tenth of the time that it has failed, from a second to a minute:
    /// what waits for it, however much, costs one attempt a minute, and it is found a minute after it is back.
    /// </summary>
    public static readonly TimeSpan LeastPause = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan MostPause = TimeSpan.FromMinutes(1);
    public const int PauseShare = 10;

    public const int AnswerBytes = 64 * 1024;

    /// <summary>From the look at the name to the last byte of the answer.</summary>
    public static readonly TimeSpan SendTime = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a delivery waits whose sender died: the time of a send, and that of writing what came of it.
    /// </summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(12);

    /// <summary>After so long a delivery is given up.</summary>
    public static readonly TimeSpan TriedFor = TimeSpan.FromDays(3);

    /// <summary>An endpoint at which nothing has arrived for so long is disabled.</summary>
    public static readonly TimeSpan FailsFor = TimeSpan.FromDays(5);
}
