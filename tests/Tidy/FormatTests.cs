using System.Diagnostics;

namespace LocalPlus.Tests.Tidy;

/// <summary>CSharpier lays the code out (.config/dotnet-tools.json pins it), so nobody argues about it in a review.</summary>
public class FormatTests
{
    [Fact]
    public async Task Code_is_laid_out_by_the_formatter()
    {
        await MustAsync("tool", "restore");
        await MustAsync("csharpier", "check", ".");
    }

    private static async Task MustAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = Tree.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(
            process.ExitCode == 0,
            $"dotnet {string.Join(' ', arguments)}:\n{string.Concat(said)}\nnext: dotnet csharpier format ."
        );
    }
}
