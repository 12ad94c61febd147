using System.Text;

namespace LocalPlus.Tests.Integration.Ledger.Bank;

/// <summary>
/// The ledger's program with FOR NO KEY UPDATE blanked out of its SQL: not a switch in the product but a copy of the
/// built assembly, whose strings are patched to others of the same length.
/// </summary>
internal sealed class UnlockedLedger : IDisposable
{
    private const string Lock = "FOR NO KEY UPDATE";
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("localplus-unlocked-");

    public UnlockedLedger()
    {
        var original = typeof(LocalPlus.Ledger.Faults).Assembly.Location;
        foreach (
            var entry in Directory
                .EnumerateFileSystemEntries(Path.GetDirectoryName(original)!)
                .Where(entry => entry != original)
        )
        {
            File.CreateSymbolicLink(Path.Combine(folder.FullName, Path.GetFileName(entry)), entry);
        }

        Program = Path.Combine(folder.FullName, Path.GetFileName(original));
        File.WriteAllBytes(Program, Unlock(File.ReadAllBytes(original)));
    }

    public string Program { get; }

    public void Dispose() => folder.Delete(recursive: true);

    private static byte[] Unlock(byte[] program)
    {
        var (wanted, skip, blank) = (
            Encoding.Unicode.GetBytes(Lock),
            Encoding.Unicode.GetBytes(" SKIP"),
            Encoding.Unicode.GetBytes(new string(' ', Lock.Length))
        );
        var patched = 0;
        for (var at = program.AsSpan().IndexOf(wanted); at >= 0; )
        {
            var after = at + wanted.Length;
            if (!program.AsSpan(after).StartsWith(skip))
            {
                blank.CopyTo(program, at);
                patched++;
            }

            var next = program.AsSpan(after).IndexOf(wanted);
            at = next < 0 ? -1 : after + next;
        }

        Assert.True(patched >= 3, "The ledger's locks are not where they were.");
        return program;
    }
}
