namespace LocalPlus.Hosting;

/// <summary>
/// Every limit of admission (ADR 0020), by name. Times get shorter on the way in: the gateway waits 4 s for a service
/// (charts/localplus/files/httproutes.yaml), a service answers within 3 s, what it asks of others ends before that,
/// and a statement before whoever asked for it.
/// </summary>
public static class AdmissionLimits
{
    /// <summary>From the first look at a request to the first byte of its answer.</summary>
    public static readonly TimeSpan Answer = TimeSpan.FromSeconds(3);

    /// <summary>
    /// With less than this left nothing is begun that another service has to finish: what moves money comes after it.
    /// </summary>
    public static readonly TimeSpan LeastToBegin = TimeSpan.FromMilliseconds(1500);

    /// <summary>What a call to another service leaves of its caller's time, so that its failure can be told.</summary>
    public static readonly TimeSpan CallMargin = TimeSpan.FromMilliseconds(100);

    /// <summary>Merchants' requests that a service works on at once, at the very most and at its start.</summary>
    public const int UnderWayMost = 64;

    /// <summary>Slow answers alone do not bring the bound below this.</summary>
    public const int UnderWayLeast = 16;

    /// <summary>
    /// Places beside the bound, a fourth of it, for merchants that have less than their share under way: whatever
    /// floods, they do not wait until it has ebbed.
    /// </summary>
    public const int BoundToSharePlaces = 4;

    /// <summary>
    /// What the other merchants may have under way while one alone holds more than a bound that has shrunk.
    /// </summary>
    public const int PlacesBesideAFlood = UnderWayLeast / BoundToSharePlaces;

    /// <summary>Operators' requests that are worked on at once, and that wait.</summary>
    public const int OperatorsAtOnce = 8;
    public const int OperatorsWaiting = 16;
    public static readonly TimeSpan OperatorsPatience = TimeSpan.FromSeconds(1);

    /// <summary>Requests without a credential that says whose they are; most are refused at once.</summary>
    public const int NobodysAtOnce = 8;
    public const int NobodysWaiting = 32;

    /// <summary>Connections that relay, sweepers, subscribers and workflows have beside the lanes.</summary>
    public const int BackgroundConnections = 16;

    /// <summary>
    /// The pool of a service: a connection for everybody who was let in, so that the wait for one is the wait at the
    /// door.
    /// </summary>
    public const int Connections =
        UnderWayMost + (UnderWayMost / BoundToSharePlaces) + OperatorsAtOnce + NobodysAtOnce + BackgroundConnections;

    /// <summary>Who is not let in after this is refused; who would wait longer is refused at once.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    /// <summary>Requests that wait at the door, of all merchants.</summary>
    public const int Waiting = 256;

    /// <summary>Nine of ten that were let in are to be answered within this, or fewer are let in.</summary>
    public static readonly TimeSpan ServiceTime = TimeSpan.FromMilliseconds(400);

    /// <summary>Between two looks at the bound; longer where answers take longer.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMilliseconds(200);
    public static readonly TimeSpan LongestWindow = TimeSpan.FromSeconds(1);

    /// <summary>Answers that a look at the bound needs, or fewer if the bound is less.</summary>
    public const int LeastAnswers = 8;

    /// <summary>The latest answers of a window that are looked at.</summary>
    public const int Samples = 256;

    /// <summary>A look takes no more than this of the bound away.</summary>
    public const double SteepestFall = 0.7;

    /// <summary>Keys whose merchants are remembered.</summary>
    public const int Callers = 10_000;
}
