using System.Diagnostics;

namespace LocalPlus.Perf;

/// <summary>Programs of PostgreSQL and Valkey; the environment says where their servers are.</summary>
internal static class Tool
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(30);

    /// <summary>What it printed. Any other end than 0 ends the bench.</summary>
    public static async Task<string> RunAsync(string file, string[] arguments, string input, CancellationToken cancel)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limited.CancelAfter(Limit);
        using var process = Process.Start(
            new ProcessStartInfo(file, arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
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
