using LocalPlus.Servers;

namespace LocalPlus.Cli;

/// <summary>A program that is needed: how to see that it is there, and the Debian packages that bring it.</summary>
internal sealed record Requirement(string Name, Func<Task<string?>> Found, params string[] Packages)
{
    /// <summary>In bookworm it comes from backports only.</summary>
    public bool Backported { get; init; }

    /// <summary>Services that the packages would start with the machine; ours are started by `up` alone.</summary>
    public string[] Services { get; init; } = [];

    public string Remedy =>
        Backported
            ? $"add the bookworm-backports suite, then: apt-get install -y {string.Join(' ', Packages)}"
            : $"apt-get install -y {string.Join(' ', Packages)}";
}

/// <summary>What the stack needs beside the .NET SDK.</summary>
internal static class Requirements
{
    private const string DovecotImap = "/usr/lib/dovecot/imap";

    public static readonly Requirement Postgres = new(
        "PostgreSQL 15 or later",
        () => Task.FromResult(PostgresPrograms.Find("initdb")),
        "postgresql-15"
    )
    {
        Services = ["postgresql"],
    };

    public static readonly Requirement Valkey = new("Valkey", Program("valkey-server"), "valkey-server")
    {
        Backported = true,
        Services = ["valkey-server"],
    };

    public static readonly Requirement Nginx = new("nginx", Program("nginx"), "nginx-light") { Services = ["nginx"] };

    public static readonly Requirement Node = new("Node.js with npm", Program("npm"), "nodejs", "npm");

    /// <summary>The platform's jobs read answers with it.</summary>
    public static readonly Requirement Jq = new("jq", Program("jq"), "jq");

    public static readonly Requirement Prometheus = new("Prometheus", Program("promtool"), "prometheus")
    {
        Services = ["prometheus"],
    };

    public static readonly Requirement Alertmanager = new("Alertmanager", Program("amtool"), "prometheus-alertmanager")
    {
        Services = ["prometheus-alertmanager"],
    };

    /// <summary>Tests read mailboxes from it.</summary>
    public static readonly Requirement Dovecot = new(
        "Dovecot with IMAP",
        () => Task.FromResult(Tools.Find("dovecot") is { } program && File.Exists(DovecotImap) ? program : null),
        "dovecot-core",
        "dovecot-imapd"
    )
    {
        Services = ["dovecot"],
    };

    public static readonly Requirement Chromium = new("Chromium", Program("chromium"), "chromium", "fonts-dejavu-core");

    /// <summary>Its completion is asked of itself.</summary>
    public static readonly Requirement Zsh = new("zsh", Program("zsh"), "zsh");

    private static readonly Requirement ValkeyExporter = new(
        "the exporter of Valkey's figures",
        Program("prometheus-redis-exporter"),
        "prometheus-redis-exporter"
    )
    {
        Services = ["prometheus-redis-exporter"],
    };

    private static readonly Requirement PostgresExporter = new(
        "the exporter of PostgreSQL's figures",
        Program("prometheus-postgres-exporter"),
        "prometheus-postgres-exporter"
    )
    {
        Services = ["prometheus-postgres-exporter"],
    };

    /// <summary>What `up --observe` runs beside the stack.</summary>
    public static readonly Requirement[] Observe = [Prometheus, Alertmanager, ValkeyExporter, PostgresExporter];

    public static readonly Requirement[] Stack = [Postgres, Valkey, Nginx];

    public static async Task<IReadOnlyList<Requirement>> MissingAsync(IEnumerable<Requirement> wanted)
    {
        var missing = new List<Requirement>();
        foreach (var requirement in wanted)
        {
            if (await requirement.Found() is null)
            {
                missing.Add(requirement);
            }
        }

        return missing;
    }

    /// <summary>
    /// Installs what is missing where that is allowed (Debian, root); otherwise says exactly what to do.
    /// </summary>
    public static async Task EnsureAsync(IReadOnlyList<Requirement> wanted, CancellationToken cancel)
    {
        var missing = await MissingAsync(wanted);
        if (missing.Count == 0)
        {
            return;
        }

        if (!Environment.IsPrivilegedProcess || Tools.Find("apt-get") is null)
        {
            throw new CliFailure(
                ExitCodes.NotFound,
                $"missing: {string.Join(", ", missing.Select(m => m.Name))} (installed by itself only for "
                    + "root on Debian)",
                string.Join("; ", missing.Select(m => m.Remedy))
            );
        }

        await Terminal.StepAsync(
            $"installing {string.Join(", ", missing.Select(m => m.Name))}",
            progress => new Debian(progress).InstallAsync(missing, cancel),
            cancel
        );
        if (await MissingAsync(missing) is [var still, ..])
        {
            throw new CliFailure(
                ExitCodes.Failed,
                $"{still.Name} is still missing after its installation",
                still.Remedy
            );
        }
    }

    private static Func<Task<string?>> Program(string name) => () => Task.FromResult(Tools.Find(name));
}
