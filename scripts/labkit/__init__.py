"""The lab behind scripts/lab: a small network of namespaces with a balancer, web servers and a client.

                         ws-fabric: br0 (192.0.2.0/24)
      ┌──────────────┬───────────┬───────┬───────┬───────────┐
      │ client       │ balancer  │ hot1  │ hot2… │ warm1…    │ spare1…    one veth each, `eth0` inside
   ws-client    ws-balancer   ws-hot1  ws-hot2  ws-warm1   ws-spare1
   .100 and      .1            .11      .12      .51        .81
   203.0.113.10-19

The client's way to the vips (198.51.100.0/24) leads through the balancer; a backend holds the vips on its loopback and
answers the client directly. All addresses come from the ranges reserved for documentation (RFC 5737) and benchmarks
(RFC 2544).
"""
