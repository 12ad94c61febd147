using LocalPlus.Cli;

namespace LocalPlus.Tests.Unit.Cli;

public sealed class LogFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("localplus-log-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_log_never_grows_beyond_two_files_of_eight_megabytes()
    {
        var line = new string('x', 64 * 1024);
        using (var log = new LogFile(_folder, "ledger"))
        {
            for (var i = 0; i < 400; i++)
            {
                log.Write(line);
            }
        }

        var files = new DirectoryInfo(_folder).GetFiles();
        Assert.Equal(["ledger.log", "ledger.log.1"], files.Select(f => f.Name).Order(StringComparer.Ordinal));
        Assert.All(files, f => Assert.InRange(f.Length, 1, (8 * 1024 * 1024) + line.Length + 1));
    }

    [Fact]
    public void A_restarted_process_goes_on_in_the_same_log()
    {
        using (var first = new LogFile(_folder, "ledger"))
        {
            first.Write("one");
        }

        using (var second = new LogFile(_folder, "ledger"))
        {
            second.Write("two");
        }

        Assert.Equal("one\ntwo\n", File.ReadAllText(LogFile.PathOf(_folder, "ledger")));
    }
}
