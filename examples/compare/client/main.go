// Client is the example's client process: it has two image files compared.
//
// Usage: client LEFT RIGHT [DIFFERENCE.png]
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("client: ")
	if len(os.Args) < 3 || len(os.Args) > 4 {
		fmt.Fprintln(os.Stderr, "usage: client LEFT RIGHT [DIFFERENCE.png]")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		log.Fatal(err)
	}
}

func run(left, right string, output []string) error {
	images, err := compare.Open(left, right)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := call.Dial(ctx, compare.Service, call.Expect(compare.Compare))
	if err != nil {
		return err
	}
	defer conn.Close()
	v, difference, err := images.Ask(ctx, conn, len(output) > 0)
	if err != nil {
		return err
	}
	fmt.Printf("MSE %.4f, PSNR %.2f dB, SSIM %.4f, %d pixels differ\n", v.MSE, v.PSNR, v.SSIM, v.Differing)
	if difference != nil {
		return difference.WritePNG(ctx, output[0])
	}
	return nil
}
