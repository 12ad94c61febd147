using System.Diagnostics;
using LocalPlus.Cli;

namespace LocalPlus.Tests.Unit.Cli;

public sealed class ProcessIdentityTests
{
    [Fact]
    public async Task A_process_is_alive_until_it_ends()
    {
        using var process = Process.Start(new ProcessStartInfo("sleep", ["60"]))!;
        var identity = ProcessIdentity.Of(process.Id)!;
        Assert.True(identity.Alive);

        identity.Signal(ProcessIdentity.SigKill);
        await process.WaitForExitAsync();

        Assert.False(identity.Alive);
    }

    [Fact]
    public void A_stranger_with_the_same_pid_is_neither_alive_for_us_nor_signalled()
    {
        using var process = Process.Start(new ProcessStartInfo("sleep", ["60"]))!;
        try
        {
            var stranger = ProcessIdentity.Of(process.Id)! with { Started = 1 };
            Assert.False(stranger.Alive);

            stranger.Signal(ProcessIdentity.SigKill);
            stranger.KillGroup();

            Assert.False(process.HasExited);
        }
        finally
        {
            process.Kill();
        }
    }

    [Fact]
    public async Task Workers_that_outlive_their_master_go_with_its_group()
    {
        // The shell leads a group of its own, starts a worker and is killed before it.
        using var master = Process.Start(
            new ProcessStartInfo("setsid", ["sh", "-c", "sleep 60 & echo $!; wait"]) { RedirectStandardOutput = true }
        )!;
        var worker = ProcessIdentity.Of(int.Parse((await master.StandardOutput.ReadLineAsync())!, null))!;
        var identity = ProcessIdentity.Of(master.Id)!;
        identity.Signal(ProcessIdentity.SigKill);
        await master.WaitForExitAsync();
        Assert.True(worker.Alive);

        identity.KillGroup();

        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (worker.Alive)
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
