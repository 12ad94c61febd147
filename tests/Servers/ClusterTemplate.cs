using System.Security.Cryptography;
using System.Text;

namespace LocalPlus.Tests.Servers;

/// <summary>A fresh cluster, made once for an account, a version and a superuser; servers start from copies of it.</summary>
internal static class ClusterTemplate
{
    private static readonly SemaphoreSlim OneAtATime = new(1);

    public static async Task<string> GetAsync(string binaries, string username, string password, CancellationToken cancel)
    {
        var version = File.GetLastWriteTimeUtc(Path.Combine(binaries, "postgres")).Ticks;
        var key = SHA256.HashData(Encoding.UTF8.GetBytes($"{binaries}\n{version}\n{username}\n{password}"));
        var template = Path.Combine(ServerAccount.Root, $"template-{Convert.ToHexStringLower(key.AsSpan(..8))}");
        await OneAtATime.WaitAsync(cancel);
        try
        {
            if (!Directory.Exists(template))
            {
                await MakeAsync(binaries, username, password, template, cancel);
            }
        }
        finally
        {
            OneAtATime.Release();
        }

        return template;
    }

    private static async Task MakeAsync(
        string binaries, string username, string password, string template, CancellationToken cancel)
    {
        var making = await ServerAccount.NewFolderAsync(cancel);

        // Not on standard input, which belongs to this process and not to the server's account.
        var passwordFile = $"{making}.password";
        await ServerAccount.RunAsync(["dd", "status=none", $"of={passwordFile}"], "/", password + "\n", cancel);
        string[] initdb =
        [
            Path.Combine(binaries, "initdb"), "-D", making, "-U", username, "--auth=scram-sha-256",
            $"--pwfile={passwordFile}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions",
        ];
        await ServerAccount.RunAsync(initdb, "/", null, cancel);
        await ServerAccount.RunAsync(["rm", passwordFile], "/", null, cancel);

        // The last step is a rename: another process sees all of a template or none, and one of two is enough.
        var renamed = await ServerAccount.TryRunAsync(["mv", "-T", making, template], "/", null, cancel);
        if (renamed.ExitCode != 0)
        {
            await ServerAccount.RunAsync(["rm", "-rf", making], "/", null, cancel);
            if (!Directory.Exists(template))
            {
                throw new InvalidOperationException(renamed.Stderr);
            }
        }
    }
}
