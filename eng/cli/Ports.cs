using System.Net;
using System.Net.Sockets;

namespace LocalPlus.Cli;

/// <summary>All ports of one running stack: fixed numbers plus the checkout's offset.</summary>
internal sealed record Ports(int Offset)
{
    /// <summary>So many checkouts can run side by side on one machine.</summary>
    public const int MaxStacks = 20;

    private const int Step = 1000;

    public int Gateway => 5080 + Offset;

    public int Postgres => 5701 + Offset;

    public int Valkey => 5702 + Offset;

    public int Smtp => 5703 + Offset;

    public string GatewayUrl => $"http://localhost:{Gateway}";

    public int Public(string app) => Port(app, 5100);

    public int App(string app) => Port(app, 5200);

    public int DaprHttp(string app) => Port(app, 5300);

    public int DaprGrpc(string app) => Port(app, 5400);

    public int Metrics(string app) => Port(app, 5500);

    public int DaprInternal(string app) => Port(app, 5600);

    /// <summary>The page of what SMTP took.</summary>
    public int MailPage => 5706 + Offset;

    public string MailUrl => $"http://localhost:{MailPage}";

    /// <summary>The local OpenID provider.</summary>
    public int Identity => 5707 + Offset;

    public string IdentityUrl => $"http://localhost:{Identity}";

    /// <summary>Where a bench starts a service of its own; its app port is the next.</summary>
    public int Bench => 5704 + Offset;

    /// <summary>Where that one shows its figures.</summary>
    public int BenchMetrics => 5708 + Offset;

    /// <summary>Valkey's door with TLS and a user, for components that ask for it.</summary>
    public int ValkeyTls => 5709 + Offset;

    /// <summary>Where `dapr init` has placement and scheduler listen, whatever the offset.</summary>
    public const int InitPlacement = 50005;
    public const int InitScheduler = 50006;

    public int Placement => 5710 + Offset;

    public int PlacementHealth => 5711 + Offset;

    public int PlacementMetrics => 5712 + Offset;

    public int PlacementRaft => 5713 + Offset;

    public int Scheduler => 5714 + Offset;

    public int SchedulerHealth => 5715 + Offset;

    public int SchedulerMetrics => 5716 + Offset;

    public int EtcdClient => 5717 + Offset;

    public int EtcdPeer => 5718 + Offset;

    public int Dashboard => 5719 + Offset;

    public int DashboardOtlp => 5720 + Offset;

    public int DashboardOtlpHttp => 5721 + Offset;

    public int Prometheus => 5722 + Offset;

    public int Alertmanager => 5723 + Offset;

    public int ValkeyMetrics => 5724 + Offset;

    public int PostgresMetrics => 5725 + Offset;

    /// <summary>Where Prometheus finds what a service measures; <see cref="Metrics"/> has its sidecar's.</summary>
    public int Figures(string app) => Port(app, 5800);

    public IEnumerable<int> All =>
        [
            Gateway,
            Postgres,
            Valkey,
            ValkeyTls,
            Smtp,
            MailPage,
            Identity,
            .. Enumerable.Range(Placement, PostgresMetrics - Placement + 1),
            .. Checkout.Apps.SelectMany(a =>
                new[] { Public(a), App(a), DaprHttp(a), DaprGrpc(a), Metrics(a), DaprInternal(a), Figures(a) }
            ),
        ];

    public IEnumerable<int> Taken => All.Where(port => !IsFree(port));

    /// <summary>The offsets to try: the remembered one first.</summary>
    public static IEnumerable<Ports> Candidates(int? remembered) =>
        Enumerable
            .Range(0, MaxStacks)
            .Select(k => k * Step)
            .Prepend(remembered ?? 0)
            .Distinct()
            .Select(o => new Ports(o));

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private int Port(string app, int family)
    {
        var index = Array.IndexOf(Checkout.Apps, app);
        ArgumentOutOfRangeException.ThrowIfNegative(index, app);
        return family + index + 1 + Offset;
    }
}
