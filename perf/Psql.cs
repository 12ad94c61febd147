using System.Diagnostics;

namespace LocalPlus.Perf;

/// <summary>PostgreSQL's own programs, run against the stack's server as its superuser.</summary>
internal static class Psql
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(30);

    public static string ConnectionString(string database) =>
        $"Host={Api.Setting("PGHOST")};Port={Api.Setting("PGPORT")};Username={Api.Setting("PGUSER")};Password={Api.Setting("PGPASSWORD")};Database={database}";

    /// <summary>Runs a script; gives its unaligned output without headers. Any error ends the bench.</summary>
    public static Task<string> RunAsync(string database, string script, CancellationToken cancel) =>
        RunAsync(Api.Setting("LP_PSQL"), ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-"], script, cancel);

    public static async Task<string> RunAsync(string file, string[] arguments, string input, CancellationToken cancel)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limited.CancelAfter(Limit);
        using var process = Process.Start(new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await using var ended = limited.Token.Register(process.Kill);
        var output = process.StandardOutput.ReadToEndAsync(limited.Token);
        var errors = process.StandardError.ReadToEndAsync(limited.Token);
        await process.StandardInput.WriteAsync(input.AsMemory(), limited.Token);
        process.StandardInput.Close();
        await process.WaitForExitAsync(limited.Token);
        return process.ExitCode == 0
            ? await output
            : throw new BenchException($"{Path.GetFileName(file)} ended with {process.ExitCode}: {await errors}");
    }
}
