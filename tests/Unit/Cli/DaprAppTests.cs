using LocalPlus.Cli;

namespace LocalPlus.Tests.Unit.Cli;

public sealed class DaprAppTests
{
    private static readonly ControlPlaneAddresses Control = new("localhost:50005", "localhost:50006");

    /// <summary>The flags that the Dapr CLI 1.18 was seen to give daprd for such a file.</summary>
    [Fact]
    public void The_repositorys_run_file_becomes_the_flags_that_dapr_run_gives()
    {
        var apps = DaprApp.Read(Path.Combine(Checkout.Find().Root, "dapr.yaml"), Control);

        Assert.Equal(Checkout.Apps, apps.Select(a => a.Id));
        Assert.Equal("services/wallet", apps[1].Folder);
        Assert.Equal(
            "--config components/clouds/local/config/config.yaml --app-protocol h2c --app-max-concurrency -1 "
                + "--placement-host-address localhost:50005 --resources-path components/base "
                + "--resources-path components/base/subscriptions --resources-path components/clouds/local "
                + "--max-body-size 4Mi --read-buffer-size 4Ki --enable-app-health-check --app-health-check-path /consumerz "
                + "--app-health-probe-interval 2 --app-health-probe-timeout 1500 --app-health-threshold 3 "
                + "--scheduler-host-address localhost:50006 --app-id wallet --app-port 5202 "
                + "--dapr-http-port 5302 --dapr-grpc-port 5402 "
                + "--profile-port -1 --metrics-port 5502 --dapr-internal-grpc-port 5602",
            string.Join(' ', apps[1].Flags)
        );
    }
}
