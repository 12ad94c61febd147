using System.Net.Sockets;
using System.Text;

namespace LocalPlus.Servers;

/// <summary>A private Dovecot on loopback that ends with this process: mailboxes by IMAP, empty at first.</summary>
public sealed class DovecotServer : IAsyncDisposable
{
    /// <summary>Everybody's; a mailbox is there as soon as somebody asks for it.</summary>
    public const string Password = "dovecot";

    private readonly string folder;
    private ServerProcess? process;

    private DovecotServer(string folder) => this.folder = folder;

    /// <summary>Of IMAP, without TLS.</summary>
    public int Port { get; } = FreePort.Next();

    public static async Task<DovecotServer> StartAsync(CancellationToken cancel = default)
    {
        var server = new DovecotServer(await ServerAccount.NewFolderAsync(cancel));
        try
        {
            var settings = Path.Combine(server.folder, "dovecot.conf");
            await File.WriteAllTextAsync(settings, server.Settings(), cancel);
            server.process = await ServerProcess.StartAsync(
                ["dovecot", "-F", "-c", settings],
                server.folder,
                Signal.Term,
                server.IsReadyAsync,
                cancel
            );
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Puts a mail into somebody's mailbox, whatever it is, as a mail server does.</summary>
    public Task DeliverAsync(string user, string mail) =>
        ServerAccount.RunAsync(
            [
                "sh",
                "-c",
                """
                mkdir -p "$1/cur" "$1/new" "$1/tmp" && cat > "$1/tmp/$2" && mv "$1/tmp/$2" "$1/new/$2"
                """,
                "deliver",
                Path.Combine(folder, "mail", user),
                Path.GetRandomFileName(),
            ],
            mail,
            CancellationToken.None
        );

    public async ValueTask DisposeAsync()
    {
        if (process is { } running)
        {
            process = null;
            await running.StopAsync(Signal.Term);
            running.Dispose();
        }

        await ServerAccount.RunAsync(["rm", "-rf", folder], CancellationToken.None);
    }

    /// <summary>Without root: one account for all of its processes, and nothing that needs another one.</summary>
    private string Settings()
    {
        var account = Environment.IsPrivilegedProcess ? ServerAccount.Unprivileged : Environment.UserName;
        return $$"""
            base_dir = {{folder}}/run
            state_dir = {{folder}}/state
            log_path = {{folder}}/dovecot.log
            protocols = imap
            listen = 127.0.0.1
            ssl = no
            disable_plaintext_auth = no
            default_internal_user = {{account}}
            default_internal_group = {{account}}
            default_login_user = {{account}}
            first_valid_uid = 1
            first_valid_gid = 1
            mail_location = maildir:{{folder}}/mail/%u
            passdb {
              driver = static
              args = password={{Password}}
            }
            userdb {
              driver = static
              args = uid={{account}} gid={{account}} home={{folder}}/home/%u
            }
            service anvil {
              chroot =
            }
            service imap-login {
              chroot =
              inet_listener imap {
                port = {{Port}}
              }
              inet_listener imaps {
                port = 0
              }
            }
            service stats {
              chroot =
            }

            """;
    }

    private async Task<bool> IsReadyAsync(CancellationToken cancel)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", Port, cancel);
            var greeting = new byte[64];
            var length = await client.GetStream().ReadAsync(greeting, cancel);
            return Encoding.ASCII.GetString(greeting, 0, length).StartsWith("* OK", StringComparison.Ordinal);
        }
        catch (Exception away) when (away is SocketException or IOException)
        {
            return false;
        }
    }
}
