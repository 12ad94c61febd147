namespace LocalPlus.Perf;

/// <summary>PostgreSQL's own client, on the stack's server as its superuser.</summary>
internal static class Psql
{
    public static string User => Api.Setting("PGUSER");

    public static string ConnectionString(string database) =>
        $"Host={Api.Setting("PGHOST")};Port={Api.Setting("PGPORT")};"
        + $"Username={User};Password={Api.Setting("PGPASSWORD")};Database={database}";

    /// <summary>Runs a script; gives its unaligned output without headers. Any error ends the bench.</summary>
    public static Task<string> RunAsync(string database, string script, CancellationToken cancel) =>
        Tool.RunAsync(
            Api.Setting("LP_PSQL"),
            ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-"],
            script,
            cancel
        );
}
